"""Sets too small, or too much alike, to hold anything out: the pipeline ends, and says what it left out."""

import json
from pathlib import Path

import numpy as np
import pytest

from jobs import report_atlas
from jobs.pipeline import run_pipeline
from jobs.runtime.stage import complete
from swiggle.bundle import Bundle
from swiggle.data.pixels import encode_png
from swiggle.overrides import load_config
from tests.conftest import TINY, run_module
from tests.jobs.conftest import Head

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(("count", "looks"), [(12, 12), (60, 1)])
def test_the_pipeline_ends(
    head: Head, tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int, looks: int
) -> None:
    (tmp_path / "in").mkdir()
    for i in range(count):
        picture = np.random.default_rng(i % looks).integers(0, 256, (32, 32, 3), dtype=np.uint8)
        (tmp_path / f"in/{i:02}.png").write_bytes(encode_png(picture))
    settings = [*TINY, "sweep.objectives=[l1]", "sweep.l1=[1.0]", f"run={tmp_path}/run", f"data.source={tmp_path}/in"]
    done = run_module("jobs.pipeline", *settings, **head.variables)
    assert done.returncode == 0, done.stdout[-5000:]
    assert "\nTraceback" not in done.stdout
    assert " nan" not in done.stdout
    if looks == 1:
        assert "promises no fixed splits" in done.stdout
    config = load_config(settings)
    complete(report_atlas.STAGE, config)
    for name in ("bundle.json", "sweep_report/trials.json", "vae_report/report.json"):
        json.loads((tmp_path / "run" / name).read_text(), parse_constant=pytest.fail)
    bundle = Bundle.load(str(tmp_path / "run"))
    assert bundle.atlas.samples
    capsys.readouterr()
    run_pipeline(config)
    assert capsys.readouterr().out.count("done before") == 8
