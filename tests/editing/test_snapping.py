import numpy as np
import pytest

from swiggle.composition import composition_of
from swiggle.data.palette import palette_of
from swiggle.editing.snapping import native_size, snapped

NOUNS = composition_of("nouns")
PICTURES = NOUNS.render(NOUNS.draw(20, seed=3))


@pytest.mark.parametrize("factor", [1, 4])
def test_noise_is_snapped_away(rng: np.random.Generator, factor: int) -> None:
    shown = PICTURES.repeat(factor, axis=1).repeat(factor, axis=2)
    assert native_size(shown) == 32
    noisy = np.clip(shown + rng.normal(0, 2, shown.shape), 0, 255).astype(np.uint8)
    crisp = snapped(noisy, palette_of(PICTURES, 256), 32)
    assert crisp.shape == shown.shape
    assert (crisp == shown).all(axis=3).mean() > 0.95
    assert native_size(crisp) == 32


def test_pictures_that_were_not_enlarged_are_native(rng: np.random.Generator) -> None:
    assert native_size(rng.integers(0, 255, (3, 16, 16, 3), dtype=np.uint8)) == 16
