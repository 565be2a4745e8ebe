"""Sets too small, or too much alike, to hold anything out: the pipeline ends, and says what it left out."""

import json
from pathlib import Path

import numpy as np
import pytest

from swiggle.bundle import Bundle
from swiggle.data.pixels import encode_png
from tests.conftest import TINY, run_module

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(("count", "looks"), [(12, 12), (60, 1)])
def test_the_pipeline_ends(tmp_path: Path, count: int, looks: int) -> None:
    (tmp_path / "in").mkdir()
    for i in range(count):
        picture = np.random.default_rng(i % looks).integers(0, 256, (32, 32, 3), dtype=np.uint8)
        (tmp_path / f"in/{i:02}.png").write_bytes(encode_png(picture))
    settings = [*TINY, f"run={tmp_path}/run", f"data.source={tmp_path}/in"]
    done = run_module("jobs.pipeline", *settings)
    assert done.returncode == 0, done.stdout[-5000:]
    assert "\nTraceback" not in done.stdout
    assert " nan" not in done.stdout
    if looks == 1:
        assert "promises no fixed splits" in done.stdout
    report = run_module("jobs.report_atlas", *settings)
    assert report.returncode == 0, report.stdout[-5000:]
    for name in ("bundle.json", "sweep_report/trials.json", "vae_report/report.json"):
        json.loads((tmp_path / "run" / name).read_text(), parse_constant=pytest.fail)
    bundle = Bundle.load(str(tmp_path / "run"))
    assert bundle.atlas.samples
    again = run_module("jobs.pipeline", *settings)
    assert again.stdout.count("done before") == 8
