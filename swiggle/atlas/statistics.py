"""What the activations alone say of each feature."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from swiggle.atlas.activations import Activations


@dataclass(frozen=True)
class FeatureStatistics:
    """`density` share of pictures in which a feature fires; `mean_activation` its mean where it does (0 if never);
    `max_activation`: each [features]. `example_ids` int64 and `example_activations` [features, k], strongest first;
    where a feature fires in fewer than k pictures the rest is -1 and 0."""

    density: np.ndarray
    mean_activation: np.ndarray
    max_activation: np.ndarray
    example_ids: np.ndarray
    example_activations: np.ndarray


def feature_statistics(activations: Activations, examples: int) -> FeatureStatistics:
    """Density, levels and top examples of every feature."""
    by_feature = activations.values.tocsc()
    fired = np.diff(by_feature.indptr)
    total = np.asarray(by_feature.sum(axis=0)).ravel()
    features = by_feature.shape[1]
    example_ids = np.full((features, examples), -1, dtype=np.int64)
    example_activations = np.zeros((features, examples), dtype=np.float32)
    for i in range(features):
        column = slice(by_feature.indptr[i], by_feature.indptr[i + 1])
        values, rows = by_feature.data[column], by_feature.indices[column]
        top = np.lexsort((rows, -values))[:examples]
        example_ids[i, : len(top)] = activations.ids[rows[top]]
        example_activations[i, : len(top)] = values[top]
    return FeatureStatistics(
        density=fired / len(activations.ids),
        mean_activation=(total / np.maximum(fired, 1)).astype(np.float32),
        max_activation=by_feature.max(axis=0).toarray().ravel().astype(np.float32),
        example_ids=example_ids,
        example_activations=example_activations,
    )


@dataclass(frozen=True)
class Company:
    """What goes with a feature, over the pictures in which it fires at half of its mean activation or more: `levels`
    [i, j] the mean activation of feature j where i is strong, float32 [features, features]; `direction` how the mean
    latent there differs from that of all pictures, float32 [features, latent_dim]. Zero where a feature never fires."""

    levels: np.ndarray
    direction: np.ndarray


def feature_company(values: sparse.csr_matrix, mean_activation: np.ndarray, latents: np.ndarray) -> Company:
    """Company of every feature. values: CSR [N, features]; latents: [N, latent_dim] of the same pictures."""
    strong = values.copy()
    strong.data = (strong.data >= 0.5 * mean_activation[strong.indices]).astype(np.float32)
    strong.eliminate_zeros()
    counts = np.asarray(strong.sum(axis=0)).ravel()
    shares = np.maximum(counts, 1)[:, None]
    direction = strong.T @ latents / shares - latents.mean(axis=0) * (counts > 0)[:, None]
    levels = np.asarray((strong.T @ values).todense()) / shares
    return Company(levels.astype(np.float32), np.asarray(direction, dtype=np.float32))
