"""One dictionary by several workers on streamed latents: what cannot be is refused. That it is trained, killed and
resumed is in `tests/cluster/test_streamed_dictionary.py`."""

from pathlib import Path

import pytest

from tests.conftest import run_module
from tests.jobs.test_sweep_sae import copy_of

pytestmark = pytest.mark.integration
WORDS = [
    "preset=smoke", "sae.objective=matryoshka_l1", "sae.features=256", "sae.epochs=4", "sae.checkpoint_every=2",
    "sae.bf16=never", "train_sae.workers=2",
]  # fmt: skip


def test_a_batch_that_cannot_be_shared_is_refused(smoke_run: Path, tmp_path: Path) -> None:
    refused = run_module("jobs.train_sae", *WORDS, f"run={copy_of(smoke_run, tmp_path)}", "train_sae.workers=3")
    assert refused.returncode == 1
    assert "error: sae.batch_size: 256 cannot be shared evenly by 3 workers" in refused.stdout
