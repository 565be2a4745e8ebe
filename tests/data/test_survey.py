import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from swiggle.data.pixels import encode_png
from swiggle.data.raw import Raw
from swiggle.data.survey import REGISTERED, SAMPLE, Survey, alignment, survey, survey_of_drawn


def sprites(count: int, side: int = 32) -> np.ndarray:
    """Bodies, heads and hats of a few colours, each in its place."""
    draw = np.random.default_rng(0)
    pictures = np.full((count, side, side, 3), 255, np.uint8)
    for picture in pictures:
        for top, left, height, width in ((18, 8, 14, 16), (8, 10, 10, 12), (4, 12, 5, 8)):
            if draw.random() < 0.8:
                picture[top : top + height, left : left + width] = draw.integers(0, 200, 3)
    return pictures


def anywhere(count: int) -> np.ndarray:
    """The same, each moved somewhere else."""
    draw = np.random.default_rng(1)
    return np.stack([np.roll(picture, draw.integers(0, 32, 2), (0, 1)) for picture in sprites(count)])


def files(pictures: np.ndarray) -> Iterator[Raw]:
    for number, picture in enumerate(pictures):
        yield Raw(f"{number}.png", encode_png(picture))


def test_a_survey_counts_measures_and_tells_sprites_from_others() -> None:
    found = survey(files(sprites(120)))
    assert (found.count, found.side, found.transparent, found.registered) == (120, 32, 0.0, True)
    assert 2 <= found.colours <= 4
    assert found == survey_of_drawn(sprites(120), 120)
    assert not survey(files(anywhere(120))).registered


def test_pictures_that_cannot_be_read_do_not_count() -> None:
    broken = [Raw("a.txt", b"some text"), Raw("b.png", problem="gone"), Raw("c.png", b"\x89PNG\r\n\x1a\n cut short")]
    assert survey([*broken, *files(sprites(5))]).count == 5
    assert survey(broken) == Survey(0, 0, 0, 0.0, 0, False)


def test_no_more_than_so_many_are_read() -> None:
    read = []
    found = survey((read.append(raw) or raw for raw in files(sprites(20))), most=7)
    assert (found.count, len(read)) == (7, 7)


def test_a_sample_is_drawn_from_all() -> None:
    pictures = np.concatenate([np.zeros((SAMPLE, 8, 8, 3), np.uint8), sprites(2 * SAMPLE, 32)[:, :8, :8]])
    assert survey(files(pictures)).looks > 1
    assert survey(files(pictures)) == survey(files(pictures))


def test_transparency_and_larger_pictures_are_seen() -> None:
    stream = io.BytesIO()
    Image.new("RGBA", (400, 300), (0, 0, 0, 0)).save(stream, "PNG")
    found = survey([Raw("clear.png", stream.getvalue()), *files(sprites(1))])
    assert (found.count, found.transparent, found.side) == (2, 0.5, 166)


@pytest.mark.parametrize("pictures", [np.full((60, 32, 32, 3), 7, np.uint8), np.repeat(sprites(1), 60, axis=0)])
def test_pictures_that_look_the_same_are_not_registered(pictures: np.ndarray) -> None:
    found = survey(files(pictures))
    assert (found.looks, found.registered) == (1, False)


def test_alignment_is_one_for_noise_and_for_nothing() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (80, 32, 32, 3), dtype=np.uint8)
    assert alignment(noise) == pytest.approx(1.0, abs=0.05)
    assert alignment(np.zeros((9, 16, 16, 3), np.uint8)) == 1.0
    assert alignment(sprites(80)) > REGISTERED
