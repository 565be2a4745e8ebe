"""One dictionary by several workers on streamed latents: what cannot be is refused, and what was trained goes on to the
atlas and the bundle. That a killed training is resumed is in `tests/cluster/test_streamed_dictionary.py`."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from jobs.runtime.stage import StageError, complete
from swiggle import Bundle
from swiggle.editing.plan import EditPlan
from swiggle.manifest import dictionary_id
from swiggle.overrides import load_config
from tests.conftest import run_module
from tests.jobs.test_sweep_sae import copy_of

pytestmark = pytest.mark.integration
WORDS = [
    "preset=smoke", "sae.objective=matryoshka_l1", "sae.features=256", "sae.epochs=4", "sae.checkpoint_every=2",
    "sae.bf16=never", "train_sae.workers=2",
]  # fmt: skip
TINY = ["preset=smoke", "sae.features=48", "sae.epochs=2", "atlas.ablations=1", "atlas.sweep_pictures=1"]


def test_a_batch_that_cannot_be_shared_is_refused(smoke_run: Path, tmp_path: Path) -> None:
    refused = run_module("jobs.train_sae", *WORDS, f"run={copy_of(smoke_run, tmp_path)}", "train_sae.workers=3")
    assert refused.returncode == 1
    assert "error: sae.batch_size: 256 cannot be shared evenly by 3 workers" in refused.stdout


def test_its_dictionary_is_interpreted_and_sealed_in_place_of_the_sweeps_choice(
    smoke_run: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(smoke_run, tmp_path / "run"))
    swept = dictionary_id(run)
    here = [*TINY, f"run={run}", "dictionary=train_sae"]
    early = run_module("jobs.build_atlas", *here)
    assert early.returncode == 1
    assert "build_atlas reads what train_sae makes; run python -m jobs.train_sae" in early.stdout
    for stage in ("train_sae", "build_atlas", "seal_bundle", "report_sae"):
        done = run_module(f"jobs.{stage}", *here)
        assert done.returncode == 0, done.stdout[-3000:]
    assert "report_sae: done before" in done.stdout  # it is of the sweep still

    trained = json.loads((run / "stages/train_sae.json").read_text())
    record = json.loads((run / "stages/build_atlas.json").read_text())
    assert record["inputs"]["train_sae"] == trained["id"]
    assert "sweep_sae" not in record["inputs"]
    bundle = Bundle.load(str(run))
    assert len(bundle.atlas) == 48
    assert bundle.manifest["config"]["train_sae"]["sae"]["features"] == 48
    assert bundle.manifest["metrics"]["train_sae"]["l0"] == trained["metrics"]["l0"] > 0
    assert "sweep_sae" not in bundle.manifest["config"]
    assert json.loads((run / "sae/choice.json").read_text())["name"] == "train_sae"
    assert dictionary_id(run) != swept
    pictures = np.zeros((1, bundle.image_size, bundle.image_size, 3), np.uint8)
    assert np.asarray(bundle.edit(pictures, EditPlan())).shape == pictures.shape

    # Without the setting what is there does not fit, and both ways on are named.
    sealed = run_module("jobs.seal_bundle", *TINY, f"run={run}")
    assert sealed.returncode == 1
    assert "made of the dictionary of train_sae: add dictionary=train_sae, or run python -m jobs.build_atlas" in (
        sealed.stdout
    )


def test_an_atlas_of_the_sweeps_choice_is_not_sealed_for_another_dictionary(smoke_run: Path, tmp_path: Path) -> None:
    from jobs.seal_bundle import STAGE

    run = Path(shutil.copytree(smoke_run, tmp_path / "run"))
    with pytest.raises(StageError, match=r"dictionary of sweep_sae: add dictionary=sweep_sae, or run .*build_atlas"):
        complete(STAGE, load_config(["preset=smoke", f"run={run}", "dictionary=train_sae"]))


def test_the_pipeline_trains_the_dictionary_that_goes_on() -> None:
    from jobs.pipeline import stages

    names = [stage.name for stage in stages(load_config(["dictionary=train_sae"]))]
    assert names[-3:] == ["train_sae", "build_atlas", "seal_bundle"]
    assert not {"sweep_sae", "report_sae"} & set(names)
    assert "train_sae" not in {stage.name for stage in stages(load_config([]))}
