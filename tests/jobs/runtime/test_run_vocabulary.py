"""Which vocabulary a run is read with."""

from pathlib import Path

import pytest

from jobs.runtime.run_vocabulary import FILE, run_vocabulary, told, vocabulary_file, vocabulary_settings
from swiggle.captions.vocabulary import Vocabulary, VocabularyError
from swiggle.config import AtlasConfig, DataConfig, RunConfig
from tests.jobs.captioned_run import captioned_run


def test_a_composed_set_has_its_own(tmp_path: Path) -> None:
    config = RunConfig(run=str(tmp_path), data=DataConfig(source="nouns"))
    assert vocabulary_settings(config) == "nouns"
    assert run_vocabulary(config, "test") == Vocabulary.load("nouns")
    assert vocabulary_file({"vocabulary": "nouns"}) == {}


def test_the_one_written_for_the_run_comes_first_and_a_change_of_it_is_noticed(tmp_path: Path) -> None:
    config = RunConfig(run=str(tmp_path), data=DataConfig(source="nouns"))
    known = set()
    for places in ("{sky: [sky]}", "{sea: [sea]}"):
        (tmp_path / FILE).write_text(f"places: {places}")
        known.add(vocabulary_settings(config))
        assert str(next(iter(run_vocabulary(config, "test").places))) in places
    assert len(known) == 2
    assert vocabulary_file({"vocabulary": known.pop()}) == {}
    (tmp_path / FILE).write_text("places: [sky]")
    with pytest.raises(VocabularyError, match=r"vocabulary\.yaml: places: expected a mapping"):
        run_vocabulary(config, "test")


def test_other_sets_are_read_by_what_their_captions_suggest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = captioned_run(tmp_path, 600)
    assert vocabulary_settings(config) == "auto"
    assert vocabulary_file({"vocabulary": "auto"}) == {}
    assert set(run_vocabulary(config, "test").places) == {"hat", "sky"}
    assert "vocabulary from captions: " in capsys.readouterr().out
    few = captioned_run(tmp_path / "few", 100)
    assert run_vocabulary(few, "test").places == {}


def test_a_named_one_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("places: {sky: [sky]}")
    (tmp_path / FILE).write_text("places: {sea: [sea]}")
    path = str(tmp_path / "mine.yaml")
    config = RunConfig(run=str(tmp_path), atlas=AtlasConfig(vocabulary=path))
    assert list(run_vocabulary(config, "test").places) == ["sky"]
    assert list(vocabulary_file({"vocabulary": path})) == [f"vocabulary {path}"]


def test_told_in_a_few_words() -> None:
    assert told(Vocabulary({"head": ["head", "hat"]})) == "head (head, hat)"
    assert "no places" in told(Vocabulary())
