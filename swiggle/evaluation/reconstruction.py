"""How well pictures come back: PSNR and the share of pixels that are right."""

import math

import numpy as np

TOLERANCE = 16


def reconstruction_scores(originals: np.ndarray, reconstructions: np.ndarray) -> dict[str, float]:
    """Both uint8 [N, S, S, 3]. `psnr` in dB from the squared error pooled over all pictures; `pixels_within_16`,
    the share of pixels that differ by at most 16 of 255 in every channel."""
    difference = originals.astype(np.int32) - reconstructions.astype(np.int32)
    squared = float(np.mean(np.square(difference, dtype=np.int64)))
    return {
        "psnr": 10 * math.log10(255**2 / squared) if squared else math.inf,
        "pixels_within_16": float((np.abs(difference).max(axis=-1) <= TOLERANCE).mean()),
    }
