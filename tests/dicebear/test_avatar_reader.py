import numpy as np
import pytest

from swiggle.composition import composition_of
from swiggle.dicebear.avatar_parts import SLOTS, load_parts
from swiggle.dicebear.avatar_reader import AvatarReader, Sheet, errors

AVATARS = composition_of("dicebear")
READER = AvatarReader(load_parts())
TRAITS = AVATARS.draw(400, seed=5)
PICTURES = AVATARS.render(TRAITS)


@pytest.mark.parametrize(("sigma", "bar"), [(0, 0.99), (12, 0.98)])
def test_pictures_are_read_as_they_look(sigma: float, bar: float) -> None:
    noise = np.random.default_rng(0).normal(0, sigma, PICTURES.shape)
    read = READER.read(np.clip(PICTURES + noise, 0, 255).round().astype(np.uint8))
    assert AVATARS.same_look(read, TRAITS).mean() >= bar
    assert READER.read(PICTURES[:0]).shape == (0, len(SLOTS))


def test_blurred_pictures_are_mostly_read() -> None:
    soft = PICTURES.astype(np.float32)
    soft = 0.8 * soft + 0.1 * np.roll(soft, 1, axis=1) + 0.1 * np.roll(soft, 1, axis=2)
    read = READER.read(soft.round().astype(np.uint8))
    assert AVATARS.same_look(read, TRAITS).mean() > 0.9


@pytest.mark.parametrize("slot", SLOTS)
def test_margins_tell_what_is_there(slot: str) -> None:
    column = SLOTS.index(slot)
    other = (TRAITS[:, column] + 1) % len(AVATARS.names(slot))
    # Colours are rounded once painted, so of two values that look alike either may fit better by a hair.
    assert (READER.margins(PICTURES, TRAITS, slot, TRAITS[:, column]) > -20).all()
    assert (READER.margins(PICTURES, TRAITS, slot, other) < 20).all()
    changed = TRAITS.copy()
    changed[:, column] = other
    seen = ~AVATARS.same_look(changed, TRAITS)
    assert (READER.margins(PICTURES, TRAITS, slot, other) < 0)[seen].mean() > 0.99


def test_errors_are_those_of_the_pixels() -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(0, 255, (3, 4, 3)).astype(np.float32)
    under, over, sheet = (
        Sheet(rng.uniform(0, 1, (n, 4)).astype(np.float32), rng.uniform(0, 90, (n, 4, 3)).astype(np.float32))
        for n in (3, 3, 2)
    )
    found = errors(sheet, x, under, over)
    for row in range(3):
        for value in range(2):
            v = sheet.paint[value] + sheet.keep[value][:, None] * under.paint[row]
            direct = np.square(x[row] - over.paint[row] - over.keep[row][:, None] * v).sum()
            rest = np.square(x[row] - over.paint[row]).sum()
            assert found[row, value] == pytest.approx(direct - rest, rel=1e-3, abs=1.0)
