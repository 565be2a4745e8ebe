"""What plain PCA makes of the same pictures with as many numbers: the least that an autoencoder should do."""

import numpy as np
from sklearn.decomposition import PCA

from swiggle.models.reconstruction import reconstruction_scores

_LEVELS = 2**28
"""Levels of training pictures that the components are taken from, at most: 1 GiB as float32, 21,845 pictures of
64 x 64. More take memory in proportion; fewer make PCA, and so the bar, a little worse."""


def pca_reconstruction(train: np.ndarray, held_out: np.ndarray, size: int) -> dict[str, float]:
    """`psnr` and `pixels_within_16` (`reconstruction_scores`) of held-out pictures uint8 [N, S, S, 3] that come back
    from the first `size` principal components of training pictures, as many as these allow."""
    flat = train.reshape(len(train), -1)
    known = flat[: max(2, _LEVELS // flat.shape[1])].astype(np.float32)
    components = min(size, *known.shape)
    model = PCA(components, svd_solver="randomized", random_state=0).fit(known)
    seen = held_out.reshape(len(held_out), -1).astype(np.float32)
    back = model.inverse_transform(model.transform(seen))
    return reconstruction_scores(held_out, back.clip(0, 255).round().astype(np.uint8).reshape(held_out.shape))
