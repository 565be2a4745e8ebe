"""Scores of the bundle made by hand, in which a word is one direction of the latent."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.runtime import held_out_scores
from jobs.runtime.held_out_scores import HeldOut
from swiggle.bundle import Bundle
from swiggle.data.pixels import encode_png
from swiggle.evaluation.picture_embedding import EmbeddingMissing
from tests.hand_bundle import PICTURES, caption_of, picture_of, strengths

SPLITS = {"train": slice(0, 144, 3), "validation": slice(1, 144, 3), "test": slice(2, 144, 3)}


def write_splits(folder: Path, captions: Sequence[str | None]) -> Path:
    """The pictures of the bundle made by hand, a third in each split."""
    images = [{"bytes": encode_png(picture_of(row))} for row in strengths()]
    table = pa.table({"id": np.arange(144), "image": images, "caption": pa.array(captions, pa.string())})
    for split, rows in SPLITS.items():
        (folder / split).mkdir(parents=True)
        pq.write_table(table.take(np.arange(144)[rows]), folder / split / "0.parquet")
    return folder


class Pixels:
    """A picture embedding in the place of the real one."""

    def embed(self, pictures: np.ndarray) -> np.ndarray:
        return pictures[:, ::4, ::4].reshape(len(pictures), -1).astype(np.float32)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_out_scores, "PICTURES", 6)
    monkeypatch.setattr(held_out_scores, "PictureEmbedding", Pixels)


def scores_of(hand: Path, data: Path) -> dict[str, Any]:
    found = HeldOut(Bundle.load(hand), data).scores()
    json.dumps(found)
    return found


@pytest.mark.usefixtures("few")
def test_edits_along_planted_directions_arrive(hand_folder: Path, tmp_path: Path) -> None:
    found = scores_of(hand_folder, write_splits(tmp_path, [caption_of(chosen) for chosen in PICTURES]))
    words = found["words"]
    assert words["unknown_changed"] == 0.0
    assert words["acted"] > 0.8
    for embedding in ("latent", "picture"):
        measured = words[embedding]
        assert measured["prompt_that_acted"]["rank"] > 0.9
        assert measured["prompt"]["rank"] > measured["none"]["rank"] + 0.3
        assert measured["random"]["rank"] < 0.6
        assert measured["ceiling"]["rank"] > 0.9
        assert abs(measured["kept"]["change_of_rank"]) < 0.1
        assert measured["by_word"]["shark"]["prompt"] > 0.9
    assert found["reconstruction"]["psnr"] > 38
    assert found["reconstruction"]["psnr_of_pca"] == held_out_scores.EXACT  # of sums of sixteen patterns
    assert found["dictionary"]["fvu"] < 0.05
    assert found["labels"]["labelled"] > 0.9
    assert found["labels"]["off"] == pytest.approx(0.05, abs=0.02)


@pytest.mark.usefixtures("few")
def test_without_captions_it_says_what_is_left_out(
    hand_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = scores_of(hand_folder, write_splits(tmp_path, [None] * 144))
    assert set(found) == {"reconstruction", "dictionary"}
    assert "labels and edits by words are not scored" in capsys.readouterr().out


@pytest.mark.usefixtures("few")
def test_captions_without_words_that_come_back(
    hand_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = scores_of(hand_folder, write_splits(tmp_path, [f"word{i}" for i in range(144)]))
    assert found["words"] == {"asked": 0, "unknown_changed": 0.0}
    assert "no word stands in captions often enough" in capsys.readouterr().out


@pytest.mark.usefixtures("few")
def test_without_the_embedding_the_latent_alone_is_scored(
    hand_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise EmbeddingMissing("it is not installed")

    monkeypatch.setattr(held_out_scores, "PictureEmbedding", missing)
    monkeypatch.setattr(held_out_scores, "WORDS", 2)
    found = scores_of(hand_folder, write_splits(tmp_path, [caption_of(chosen) for chosen in PICTURES]))
    assert "picture" not in found["words"]
    assert "latent alone: it is not installed" in capsys.readouterr().out


def test_nothing_held_out(hand_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_splits(tmp_path, [None] * 144)
    for split in ("validation", "test"):
        path = data / split / "0.parquet"
        pq.write_table(pq.read_table(path).slice(0, 0), path)
    assert scores_of(hand_folder, data) == {}
    assert "no pictures are held out" in capsys.readouterr().out
