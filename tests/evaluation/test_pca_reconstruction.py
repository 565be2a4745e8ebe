import numpy as np

from swiggle.evaluation.pca_reconstruction import pca_reconstruction


def test_pictures_of_few_patterns_come_back_from_as_many_numbers(rng: np.random.Generator) -> None:
    patterns = rng.normal(size=(3, 8 * 8 * 3))
    pictures = 128 + 20 * rng.uniform(-1, 1, size=(60, 3)) @ patterns
    pictures = pictures.clip(0, 255).round().astype(np.uint8).reshape(-1, 8, 8, 3)
    enough = pca_reconstruction(pictures[:50], pictures[50:], 3)
    less = pca_reconstruction(pictures[:50], pictures[50:], 1)
    assert enough["psnr"] > 45
    assert enough["pixels_within_16"] > 0.99
    assert less["psnr"] < 35
    # Two pictures have no more than one component.
    assert pca_reconstruction(pictures[:2], pictures[50:], 256)["psnr"] < 35
