"""The first stage says what it understood, keeps that in its record, and notices what is added."""

from pathlib import Path

import pytest

from jobs.prepare_data import STAGE
from jobs.runtime.stage import complete
from swiggle.overrides import load_config
from tests.data.made_sources import pictures, png, write


def test_what_was_understood_is_said_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path / "in", pictures(*(f"{n}.png" for n in range(60))))
    write(folder, {f"{n}.txt": f"cat number {n}" for n in range(60)})
    config = load_config(["preset=smoke", f"run={tmp_path}/run", f"data.source={folder}", "data.count=null"])
    record = complete(STAGE, config)
    said = {
        "source": "60 pictures of 20 x 20, one caption each, from .txt files",
        "works": "labels, edits by prompt, the map and the sliders work",
    }
    assert record["metrics"]["understood"] == said
    out = capsys.readouterr().out
    assert all(out.count(line) == 1 for line in said.values())
    complete(STAGE, config)
    assert "done before" in capsys.readouterr().out
    write(folder, {"more/new.png": png(100)})
    again = complete(STAGE, config)
    assert again["id"] != record["id"]
    assert "one caption for each of 60 of them" in again["metrics"]["understood"]["source"]
    assert "61 pictures" in capsys.readouterr().out
    write(folder, {"more/new.txt": "a new cat"})
    assert "one caption each" in complete(STAGE, config)["metrics"]["understood"]["source"]


def test_only_some_pictures_are_named_on_the_screen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path / "in", pictures(*(f"{n}.png" for n in range(12))))
    write(folder, {f"{n}.md": "text" for n in range(30)})
    complete(STAGE, load_config(["preset=smoke", f"run={tmp_path}/run", f"data.source={folder}"]))
    out = capsys.readouterr().out
    assert out.count("skipped, a text file") == 10
    assert "import_report.csv" in out
