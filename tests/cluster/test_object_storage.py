"""A run on S3-compatible storage: what it makes, an outage in the middle of it, and a bundle loaded from there."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from swiggle.bundle import Bundle
from swiggle.manifest import PARTS
from swiggle.storage import copy_out
from tests.cluster.conftest import BRISK, ObjectStore, same_artefacts, variables
from tests.conftest import ENVIRONMENT, ROOT, run_module

pytestmark = [pytest.mark.cluster, pytest.mark.integration]
OUTAGE_SECONDS = 30


def test_the_pipeline_survives_an_outage_and_makes_the_same_bytes(
    object_store: ObjectStore, unbroken: Path, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri, log = object_store.uri("tiny"), tmp_path / "log"
    with log.open("w") as output:
        job = subprocess.Popen(
            [sys.executable, "-m", "jobs.pipeline", *words, f"run={uri}"],
            cwd=ROOT, env={**ENVIRONMENT, **BRISK, **variables()}, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + 150
    while not any("step-000000150/" in name for name in object_store.objects("tiny/train_vae")):
        assert job.poll() is None, log.read_text()[-3000:]
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.2)
    object_store.down()
    time.sleep(OUTAGE_SECONDS)
    assert "train_vae: done" not in log.read_text()
    object_store.up()
    assert job.wait(300) == 0, log.read_text()[-4000:]

    copy_out(uri, tmp_path / "run", ("data", "latents", "activations", *PARTS))
    same_artefacts(tmp_path / "run", unbroken)
    loads_once_for_many(uri, unbroken, tmp_path, monkeypatch)


def loads_once_for_many(uri: str, unbroken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replicas that start together on a node make one copy."""
    monkeypatch.setenv("SWIGGLE_CACHE", str(tmp_path / "cache"))
    loaded: list[Bundle] = []
    starting = [threading.Thread(target=lambda: loaded.append(Bundle.load(uri))) for _ in range(3)]
    for thread in starting:
        thread.start()
    for thread in starting:
        thread.join()
    assert len(loaded) == 3
    assert len([path for path in (tmp_path / "cache").iterdir() if path.is_dir()]) == 1
    blank = np.zeros((1, 32, 32, 3), np.uint8)
    expected = Bundle.load(unbroken)
    assert np.array_equal(loaded[0].encode(blank), expected.encode(blank))


def test_mistakes_are_answered_in_a_sentence(object_store: ObjectStore) -> None:
    for uri, reason in (
        (object_store.uri("x").replace("runs", "nowhere"), "there is no bucket nowhere"),
        (object_store.uri("x") + "&secret=1", "unknown option secret"),
        ("s3://key:secret@runs/x", "keys do not belong in a URI"),
    ):
        refused = run_module("jobs.prepare_data", f"run={uri}", **variables())
        assert refused.returncode == 1
        assert reason in refused.stdout
        assert "Traceback" not in refused.stdout
