import json
from pathlib import Path

import numpy as np
import pytest

from jobs.runtime import choosing
from jobs.runtime.choosing import settled
from swiggle.chosen_settings import MOST
from swiggle.config import RunConfig
from swiggle.data.pixels import encode_png
from swiggle.data.sources import SourceError
from swiggle.overrides import load_config


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    (tmp_path / "in").mkdir()
    add(tmp_path, 20)
    return [f"run={tmp_path}/run", f"data.source={tmp_path}/in"]


def add(folder: Path, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        picture = np.random.default_rng(number).integers(0, 256, (40, 40, 3), dtype=np.uint8)
        (folder / f"in/{number:03}.png").write_bytes(encode_png(picture))


def chosen(words: list[str], reads_source: bool = True) -> RunConfig:
    return settled(words, reads_source)[0]


def test_a_choice_is_made_said_and_kept(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    config, line = settled(words, reads_source=True)
    assert (config.vae.image_size, config.vae.start, config.data.count) == (32, "pca", MOST)
    assert line.startswith("20 pictures, ")
    monkeypatch.setattr(choosing, "survey", lambda *_: pytest.fail("looked again"))
    assert settled(words, reads_source=True) == (config, "")


def test_later_commands_agree_without_being_told_the_source(words: list[str], tmp_path: Path) -> None:
    config = chosen(words)
    assert settled(words[:1], reads_source=False) == (config, "")
    assert chosen([f"run={tmp_path}/other"], reads_source=False) == load_config([f"run={tmp_path}/other"])


def test_what_is_set_goes_before_what_is_chosen(words: list[str]) -> None:
    own = chosen([*words, "vae.steps=7", "vae.image_size=128", "data.count=9"])
    assert (own.vae.steps, own.vae.image_size, own.data.count) == (7, 128, 9)
    assert (own.vae.encoder, own.vae.start, own.vae.learn) == ("conv", "random", "all")
    assert chosen([*words, "vae.image_size=null"]).vae.image_size == 32


def test_a_source_that_changed_is_looked_at_again(words: list[str], tmp_path: Path) -> None:
    few = chosen(words)
    add(tmp_path, 300, first=20)
    assert chosen(words[:1], reads_source=False) == few
    many, line = settled(words, reads_source=True)
    assert line.startswith("320 pictures")
    assert many.sae.features > few.sae.features


def test_a_composed_set_is_looked_at_as_well(tmp_path: Path) -> None:
    words = [f"run={tmp_path}/run", "data.count=300"]
    assert chosen(words) == load_config(words)
    assert json.loads((tmp_path / "run/chosen.json").read_text())["survey"]["registered"]


def test_other_presets_choose_nothing(words: list[str], tmp_path: Path) -> None:
    assert chosen([*words, "preset=smoke"]) == load_config([*words, "preset=smoke"])
    assert not (tmp_path / "run").exists()


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"data\.source"):
        chosen([f"run={tmp_path}/run", f"data.source={tmp_path}/nowhere"])
