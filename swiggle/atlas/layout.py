"""The map of features: UMAP (McInnes et al., arXiv 1802.03426) of the decoder's rows."""

import numpy as np
import umap

from swiggle.config import AtlasConfig


def feature_map(rows: np.ndarray, config: AtlasConfig) -> np.ndarray:
    """Decoder rows [features, latent_dim] to positions float32 [features, 2], each axis scaled to 0 ... 1.

    By cosine distance; the same rows and seed give the same map.
    """
    neighbors = min(config.umap_neighbors, len(rows) - 1)
    reducer = umap.UMAP(
        n_neighbors=neighbors, min_dist=config.umap_min_dist, metric="cosine", random_state=config.seed, n_jobs=1
    )
    positions = reducer.fit_transform(rows)
    low, high = positions.min(axis=0), positions.max(axis=0)
    return ((positions - low) / np.maximum(high - low, 1e-12)).astype(np.float32)
