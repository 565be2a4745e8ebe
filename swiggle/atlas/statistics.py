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


def conditional_levels(values: sparse.csr_matrix, mean_activation: np.ndarray) -> np.ndarray:
    """Natural levels: [i, j] is the mean activation of feature j over the pictures in which feature i fires at half
    of its mean activation or more. float32 [features, features]; rows of features that never fire are zero."""
    strong = values.copy()
    strong.data = (strong.data >= 0.5 * mean_activation[strong.indices]).astype(np.float32)
    strong.eliminate_zeros()
    counts = np.asarray(strong.sum(axis=0)).ravel()
    return np.asarray((strong.T @ values).todense(), dtype=np.float32) / np.maximum(counts, 1)[:, None]
