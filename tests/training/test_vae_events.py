from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.tensorboard import SummaryWriter

from swiggle.config import VAEConfig
from swiggle.models.reconstruction import reconstruct
from swiggle.models.vae import VAE
from swiggle.training.vae_events import read_curves, training_psnr, write_step, write_validation
from swiggle.training.vae_training import StepReport


def report(error: float) -> StepReport:
    return StepReport(torch.tensor(error + 0.1), torch.tensor(error), torch.tensor([3.0, 4.0]), torch.tensor(2.0), 1e-3)


def test_curves_come_back_as_they_were_written(tmp_path: Path) -> None:
    with SummaryWriter(str(tmp_path / "train")) as writer:
        for step in (50, 100, 150):
            write_step(writer, step, report(1 / step), 1_000.0)
    # A resumed run goes over step 150 again, in a file of its own.
    with SummaryWriter(str(tmp_path / "train"), filename_suffix=".resumed") as writer:
        write_step(writer, 150, report(0.5), 1_000.0)
    curves = read_curves(tmp_path)
    steps, errors = curves["train/error"]
    np.testing.assert_array_equal(steps, [50, 100, 150])
    np.testing.assert_allclose(errors, [1 / 50, 1 / 100, 0.5], rtol=1e-6)
    assert curves["train/kl"][1][0] == 7.0
    assert curves["train/psnr"][1][2] == pytest.approx(training_psnr(0.5), rel=1e-6)


def test_a_validation_leaves_scores_pictures_and_the_latents_shape(tmp_path: Path, rng: np.random.Generator) -> None:
    vae = VAE(VAEConfig(image_size=32, encoder="dense", decoder="dense", hidden=16, blocks=1)).eval()
    seen = reconstruct(vae, rng.integers(0, 256, (300, 32, 32, 3), dtype=np.uint8), shown=4)
    assert seen.latents.shape == (300, 4, 8, 8)
    assert seen.originals.shape == seen.decoded.shape == (4, 32, 32, 3)
    with SummaryWriter(str(tmp_path)) as writer:
        write_validation(writer, 10, seen)
    curves = read_curves(tmp_path)
    assert curves["validation/psnr"][1][0] == pytest.approx(seen.scores["psnr"], rel=1e-6)
    assert curves["validation/kl"][1][0] == pytest.approx(seen.kl_per_channel.sum(), rel=1e-6)
    assert {f"latent_standard_deviation/{c}" for c in range(4)} < curves.keys()
