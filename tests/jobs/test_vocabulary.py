"""`python -m jobs.vocabulary`."""

from pathlib import Path

import pytest

from jobs.runtime.run_vocabulary import FILE, run_vocabulary
from jobs.runtime.stage import StageError
from jobs.vocabulary import write_vocabulary
from swiggle.captions.vocabulary import Vocabulary
from swiggle.config import RunConfig
from tests.jobs.captioned_run import captioned_run


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunConfig:
    monkeypatch.setattr("jobs.vocabulary.current", lambda stage, config, reader: {})
    return captioned_run(tmp_path, 600)


def test_the_proposal_is_written_and_then_used(config: RunConfig, capsys: pytest.CaptureFixture[str]) -> None:
    write_vocabulary(config)
    file = Path(config.run) / FILE
    assert set(Vocabulary.load(str(file)).places) == {"hat", "sky"}
    assert str(file) in capsys.readouterr().out
    file.write_text(file.read_text().replace("hat: [hat]", "hat: [hat, cap]"))
    assert run_vocabulary(config, "test").places["hat"] == ["hat", "cap"]


def test_what_a_person_wrote_is_not_written_over(config: RunConfig) -> None:
    (Path(config.run) / FILE).write_text("places: {}")
    with pytest.raises(StageError, match=r"is there already; remove it"):
        write_vocabulary(config)
    assert (Path(config.run) / FILE).read_text() == "places: {}"


def test_pictures_come_first(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"run python -m jobs\.prepare_data"):
        write_vocabulary(RunConfig(run=str(tmp_path)))
