"""What is sealed is the dictionary that the atlas is of."""

import json
import shutil
from pathlib import Path

import pytest

from jobs.runtime.stage import complete
from jobs.seal_bundle import STAGE
from swiggle.atlas.hand_labels import HandLabelFile
from swiggle.manifest import dictionary_id, read_manifest
from swiggle.overrides import load_config

pytestmark = pytest.mark.integration  # the smoke run comes of the pipeline


def test_the_chosen_dictionary_is_sealed_and_a_labelled_one_kept_aside(smoke_run: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(smoke_run, tmp_path / "run"))
    labelled = dictionary_id(run)
    HandLabelFile(run, labelled).change({3: "shark"})
    trials = json.loads((run / "sweep_report/trials.json").read_text())
    trials["chosen"] = (trials["chosen"] + 1) % len(trials["trials"])
    name = trials["trials"][trials["chosen"]]["name"]
    (run / "sweep_report/trials.json").write_text(json.dumps(trials))
    (run / "stages/seal_bundle.json").unlink()
    complete(STAGE, load_config(["preset=smoke", f"run={run}"]))
    assert read_manifest(run)["config"].keys() >= {"sweep_sae", "build_atlas"}
    chosen = (run / "sweep_report/dictionaries" / name / "model.safetensors").read_bytes()
    assert (run / "sae/model.safetensors").read_bytes() == chosen
    assert json.loads((run / "sae/choice.json").read_text())["name"] == name
    assert dictionary_id(run) != labelled
    assert dictionary_id(run / "labelled" / labelled) == labelled


def test_sealing_again_changes_nothing(smoke_run: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(smoke_run, tmp_path / "run"))
    before = {path.name: path.read_bytes() for path in (run / "sae").iterdir()}
    files = read_manifest(run)["files"]
    (run / "stages/seal_bundle.json").unlink()
    complete(STAGE, load_config(["preset=smoke", f"run={run}"]))
    assert {path.name: path.read_bytes() for path in (run / "sae").iterdir()} == before
    assert read_manifest(run)["files"] == files
