"""The colours of a set of pictures."""

import numpy as np
from sklearn.cluster import KMeans


def palette_of(images: np.ndarray, colours: int, seed: int = 0) -> np.ndarray:
    """The `colours` colours that stand for those of pictures uint8 [N, S, S, 3] with the least squared error
    (k-means, each pixel counting once): uint8 [colours, 3], fewer where the pictures have fewer."""
    found, counts = np.unique(images.reshape(-1, 3), axis=0, return_counts=True)
    if len(found) <= colours:
        return found
    # Photographs have more colours than k-means need see: the four lowest bits are left out.
    if len(found) > _MOST:
        coarse, back = np.unique(found & 0xF0, axis=0, return_inverse=True)
        found, counts = coarse + 8, np.bincount(back.ravel(), weights=counts)
    means = KMeans(min(colours, len(found)), n_init=1, random_state=seed).fit(found, sample_weight=counts)
    return np.unique(means.cluster_centers_.round().astype(np.uint8), axis=0)


_MOST = 8_192
"""Distinct colours beyond which they are clustered coarsely."""
