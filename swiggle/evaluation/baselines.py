"""What a dictionary must beat: other codes of the same latents, made comparable in how many entries are active.

`axes` the latent's own coordinates; `pca` its principal components; `random` as many random unit directions as the
dictionary has; `supervised` the additive model's vectors, one a trait value, which no dictionary may use. Signed codes
are split into a positive and a negative half. Each entry is then kept only above a threshold, a quantile of its own, so
that the mean number of active entries is the dictionary's L0.
"""

import numpy as np
from scipy import sparse

from swiggle.evaluation.additive import AdditiveModel


def baseline_codes(
    train: np.ndarray, test: np.ndarray, additive: AdditiveModel, features: int, l0: float, seed: int = 0
) -> dict[str, tuple[sparse.csr_matrix, sparse.csr_matrix]]:
    """Sparse codes of latents [N, d] by name, on train and test, with about `l0` active entries a latent."""
    mean = train.mean(axis=0)
    deviations = (train - mean).astype(np.float64)
    _, components = np.linalg.eigh(deviations.T @ deviations)
    random = np.random.default_rng(seed).normal(size=(features, train.shape[1]))
    vectors = np.concatenate(list(additive.vectors.values()))
    directions = {
        "axes": np.concatenate([np.eye(train.shape[1]), -np.eye(train.shape[1])]),
        "pca": np.concatenate([components.T, -components.T]),
        "random": random,
        "supervised": vectors,
    }
    codes = {}
    for name, rows in directions.items():
        # A value that no training picture has leaves no direction, and fires nowhere.
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        unit = np.divide(rows, length, out=np.zeros_like(rows), where=length > 0).astype(np.float32)
        projected = (train - mean) @ unit.T
        limits = np.maximum(np.quantile(projected[:10_000], max(0.0, 1.0 - l0 / len(unit)), axis=0), 0.0)
        codes[name] = sparsified(projected, limits), sparsified((test - mean) @ unit.T, limits)
    return codes


def sparsified(projected: np.ndarray, limits: np.ndarray) -> sparse.csr_matrix:
    """[N, entries], zero where not above the entry's limit."""
    return sparse.csr_matrix(np.where(projected > limits, projected, 0.0).astype(np.float32))
