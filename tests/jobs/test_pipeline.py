"""The jobs as a user runs them, in processes of their own, on a private Ray cluster."""

import json
from pathlib import Path

import pytest

from jobs.pipeline import run_pipeline
from swiggle.overrides import load_config
from tests.conftest import coloured, run_module

pytestmark = pytest.mark.integration


def test_the_smoke_run_is_complete(smoke_run: Path) -> None:
    manifest = json.loads((smoke_run / "bundle.json").read_text())
    assert manifest["metrics"]["train_vae"]["psnr"] > 22
    assert manifest["metrics"]["build_atlas"]["labelled"] > 300
    report = json.loads((smoke_run / "sweep_report/trials.json").read_text())
    assert manifest["metrics"]["sweep_sae"]["reason"] == report["reason"]
    trials = report["trials"]
    assert len(trials) == 4
    assert all({"l0", "fvu", "dead", "density_histogram", "caption_coverage"} <= t.keys() for t in trials)
    for objective in ("l1", "matryoshka_l1"):
        # Held-out sparsity follows the L1 weight, and reconstruction pays for it.
        weak, strong = sorted((t for t in trials if t["objective"] == objective), key=lambda t: t["l1"])
        assert weak["l0"] > strong["l0"]
        assert weak["fvu"] < strong["fvu"]
    assert coloured(smoke_run / "sweep_report/pareto.png") > 100
    assert len(list((smoke_run / "sweep").rglob("events.out.tfevents*"))) == len(report["trials"])
    report = json.loads((smoke_run / "vae_report/report.json").read_text())
    assert 0 < report["locality"]["share"] < 1
    assert report["additive_r2"] > 0.5
    assert report["read_back"]["head"] > 0.5
    assert report["supervised_edits"]["head"]["success"] > 0.5
    assert {p.name for p in (smoke_run / "vae_report").glob("*.png")} == {"reconstructions.png", "curves.png"}
    assert not [p for p in smoke_run.iterdir() if p.name.startswith(".")]


def test_what_is_done_is_skipped_and_what_changed_is_not(smoke_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Which changes count is tested in `runtime/test_stage.py`; here, that the pipeline's stages go by these rules."""
    config = load_config(["preset=smoke", f"run={smoke_run}"])
    run_pipeline(config)
    said = capsys.readouterr().out
    assert said.count("done before") == 8
    assert "started" not in said
    (smoke_run / "stages/seal_bundle.json").unlink()
    run_pipeline(config)
    said = capsys.readouterr().out
    assert said.count("done before") == 7
    assert "seal_bundle: started" in said


def test_mistakes_are_answered_in_a_sentence(tmp_path: Path) -> None:
    wrong = run_module("jobs.prepare_data", "vae.stepz=3")
    assert wrong.returncode == 2
    assert "did you mean vae.steps?" in wrong.stdout
    early = run_module("jobs.sweep_sae", f"run={tmp_path}/none")
    assert early.returncode == 1
    assert "python -m jobs.prepare_data" in early.stdout
    nothing = run_module("jobs.pipeline", f"run={tmp_path}/x", "data.source=/no/such/place")
    assert nothing.returncode == 1
    assert "/no/such/place" in nothing.stdout
    for result in (wrong, early, nothing):
        assert "Traceback" not in result.stdout
