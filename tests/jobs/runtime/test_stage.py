"""The rules of stages, on stages that only write a line. No Ray."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.runtime.stage import Stage, StageError, complete, run_command
from swiggle.config import RunConfig
from swiggle.errors import SwiggleError


class Chain:
    """Three stages, `first` -> `second` -> `third`, over a run; `done` lists whose work was done, in order."""

    def __init__(self, folder: Path) -> None:
        self.config = RunConfig(run=str(folder))
        self.done: list[str] = []
        self.fail: str | None = None
        self.source = folder / "source.txt"
        self.source.parent.mkdir(parents=True, exist_ok=True)
        self.source.write_text("a")
        self.versions = {"first": 1, "second": 1, "third": 1}

    @property
    def stages(self) -> dict[str, Stage]:
        first = Stage(
            "first", (), lambda c: {"seed": c.data.seed}, self._work("first"), version=self.versions["first"],
            reads=lambda settings: {"source": self.source.read_text() if self.source.exists() else None},
        )  # fmt: skip
        second = Stage(
            "second", (first,), lambda c: {"steps": c.vae.steps}, self._work("second"), self.versions["second"]
        )
        third = Stage(
            "third", (second,), lambda c: {"workers": c.atlas.workers, "samples": c.atlas.samples}, self._work("third"),
            self.versions["third"], defining=lambda settings: {"samples": settings["samples"]},
        )  # fmt: skip
        return {"first": first, "second": second, "third": third}

    def _work(self, name: str) -> Callable[[RunConfig, str], dict[str, Any]]:
        def work(config: RunConfig, key: str) -> dict[str, Any]:
            if self.fail == name:
                raise KeyboardInterrupt
            self.done.append(name)
            return {"key": key}

        return work

    def run(self, *names: str) -> list[str]:
        """Complete the stages; returns whose work was done."""
        self.done.clear()
        for name in names or ("first", "second", "third"):
            complete(self.stages[name], self.config)
        return list(self.done)

    def record(self, name: str) -> Path:
        return Path(self.config.run, "stages", f"{name}.json")


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    return Chain(tmp_path / "run")


def test_what_is_current_is_not_done_again(chain: Chain) -> None:
    assert chain.run() == ["first", "second", "third"]
    assert chain.run() == []


def test_where_a_stage_ran_does_not_make_it_stale(chain: Chain) -> None:
    chain.run()
    chain.config.atlas.workers = 7
    assert chain.run() == []
    chain.config.atlas.samples = 7
    assert chain.run() == ["third"]


def test_a_missing_input_is_named_with_its_command(chain: Chain) -> None:
    with pytest.raises(StageError, match=r"python -m jobs\.second run="):
        chain.run("first", "third")


def test_a_stage_above_that_was_done_again_makes_those_below_stale(chain: Chain) -> None:
    chain.run()
    chain.config.vae.steps = 7
    assert chain.run("second") == ["second"]
    assert chain.run("third") == ["third"]


def test_what_is_stale_two_levels_up_is_not_read(chain: Chain) -> None:
    chain.run()
    chain.config.data.seed = 7
    assert chain.run("first") == ["first"]
    with pytest.raises(StageError, match=r"second.*out of date.*first.*python -m jobs\.second run="):
        chain.run("third")
    assert chain.run() == ["second", "third"]


def test_a_record_is_withdrawn_before_its_stage_writes(chain: Chain) -> None:
    chain.run()
    chain.config.vae.steps, chain.fail = 7, "second"
    with pytest.raises(KeyboardInterrupt):
        chain.run("second")
    assert not chain.record("second").exists()
    with pytest.raises(StageError, match="second"):
        chain.run("third")
    chain.fail = None
    assert chain.run() == ["second", "third"]


def test_a_new_version_of_an_algorithm_makes_its_stage_and_those_below_stale(chain: Chain) -> None:
    chain.run()
    chain.versions["first"] = 2
    with pytest.raises(StageError, match=r"first.*out of date.*version.*python -m jobs\.first"):
        chain.run("third")
    assert chain.run() == ["first", "second", "third"]
    assert chain.run() == []


def test_records_without_a_version_are_of_version_1(chain: Chain) -> None:
    chain.run()
    for name in ("first", "second", "third"):
        record = json.loads(chain.record(name).read_text())
        del record["version"]
        chain.record(name).write_text(json.dumps(record))
    assert chain.run() == []


def test_a_source_that_changed_is_noticed_by_all_below(chain: Chain) -> None:
    chain.run()
    chain.source.write_text("b")
    with pytest.raises(StageError, match=r"first.*out of date.*source.*python -m jobs\.first"):
        chain.run("third")
    assert chain.run() == ["first", "second", "third"]


def test_a_source_that_is_gone_leaves_what_was_made_of_it(chain: Chain, capsys: pytest.CaptureFixture[str]) -> None:
    chain.run()
    chain.source.unlink()
    assert chain.run() == []
    assert "source" in capsys.readouterr().out


class OutOfLuck(SwiggleError):
    pass


@pytest.mark.parametrize("error", [OutOfLuck("no luck with picture 7"), ValueError("cannot reshape array")])
def test_only_our_own_errors_are_shortened(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def work(config: RunConfig) -> None:
        complete(Stage("first", (), lambda c: {}, lambda c, key: _raise(error)), config)

    monkeypatch.setattr(sys, "argv", ["job", f"run={tmp_path}"])
    if isinstance(error, SwiggleError):
        with pytest.raises(SystemExit) as ended:
            run_command(None, work)
        assert ended.value.code == 1
        assert capsys.readouterr().err == "error: no luck with picture 7\n"
    else:
        with pytest.raises(ValueError, match="cannot reshape"):
            run_command(None, work)
        assert "first" in capsys.readouterr().err


def test_a_fault_names_where_the_rest_of_what_was_written_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "logs").mkdir()
    monkeypatch.setattr(sys, "argv", ["job", f"run={tmp_path}"])
    with pytest.raises(ValueError, match="cannot reshape") as raised:
        run_command(None, lambda config: _raise(ValueError("cannot reshape array")))
    assert raised.value.__notes__ == [f"What else was written is in {tmp_path / 'logs'}."]


def test_an_error_of_ours_that_ray_carried_is_ours_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def work(config: RunConfig) -> None:
        try:
            _raise(OutOfLuck("no luck in a worker"))
        except OutOfLuck as error:
            raise RuntimeError("a task failed, with forty lines of where") from error

    monkeypatch.setattr(sys, "argv", ["job", f"run={tmp_path}"])
    with pytest.raises(SystemExit):
        run_command(None, work)
    assert capsys.readouterr().err == "error: no luck in a worker\n"


def _raise(error: Exception) -> dict[str, Any]:
    raise error


def test_seal_bundle_refuses_a_dictionary_newer_than_its_atlas(tmp_path: Path) -> None:
    """`sweep_sae` by itself, then `seal_bundle`: the atlas is of the dictionary before."""
    from jobs.build_atlas import STAGE as ATLAS
    from jobs.seal_bundle import STAGE

    config = RunConfig(run=str(tmp_path))
    (tmp_path / "stages").mkdir()
    ids = {}
    for name in ("prepare_data", "train_vae", "encode_latents", "sweep_sae", "build_atlas"):
        settings = {"data": {"source": "nouns"}, "vocabulary": "nouns"}
        wanted: dict[str, Any] = {"settings": settings, "inputs": dict(ids)}
        ids[name] = f"{name}-1"
        record = {"id": ids[name], "fingerprint": "0" * 64, "seconds": 1.0, "metrics": {}, **wanted}
        if name == ATLAS.name:
            record["version"] = ATLAS.version
        (tmp_path / "stages" / f"{name}.json").write_text(json.dumps(record))
    newer = json.loads((tmp_path / "stages/sweep_sae.json").read_text()) | {"id": "sweep_sae-2"}
    (tmp_path / "stages/sweep_sae.json").write_text(json.dumps(newer))
    with pytest.raises(StageError, match=r"build_atlas.*out of date.*sweep_sae.*python -m jobs\.build_atlas"):
        complete(STAGE, config)


@pytest.mark.parametrize("change", ["picture added", "picture changed", "caption beside it", "renamed", "touched"])
def test_a_changed_folder_of_pictures_is_noticed(change: str, tmp_path: Path) -> None:
    from swiggle.data.source_digest import source_digest

    folder = tmp_path / "pictures"
    (folder / "more").mkdir(parents=True)
    (folder / "more/a.png").write_bytes(b"1")
    (folder / "a.txt").write_text("a cat")
    before = source_digest(str(folder))
    assert source_digest(str(folder)) == before
    if change == "picture added":
        (folder / "more/b.png").write_bytes(b"1")
    elif change == "picture changed":
        (folder / "more/a.png").write_bytes(b"12")
    elif change == "caption beside it":
        (folder / "a.txt").write_text("a dog!")
    elif change == "renamed":
        (folder / "more/a.png").rename(folder / "more/c.png")
    else:
        os.utime(folder / "more/a.png", ns=(1, 1))
    assert source_digest(str(folder)) != before


def test_digests_follow_links_and_stop_at_circles(tmp_path: Path) -> None:
    from swiggle.data.source_digest import source_digest

    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/round").symlink_to(tmp_path / "pictures")
    before = source_digest(str(tmp_path / "pictures"))
    (tmp_path / "elsewhere/new.png").write_bytes(b"1")
    assert source_digest(str(tmp_path / "pictures")) != before


def test_what_is_no_file_has_no_digest(tmp_path: Path) -> None:
    from swiggle.data.source_digest import source_digest

    assert source_digest("nouns") is None
    assert source_digest(str(tmp_path / "gone")) is None
