from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from swiggle.models.vae import VAE, to_model
from swiggle.presets import smoke
from swiggle.training.colour_readout import COLOURS, ColourReadout, colour_weight
from swiggle.training.vae_training import VAETraining


def test_shares_by_hand() -> None:
    """A picture of 32 x 32 over 8 x 8 cells of 4 x 4 pixels, black but for one white pixel and one red half cell."""
    picture = np.zeros((1, 32, 32, 3), dtype=np.uint8)
    picture[0, 0, 0] = 255
    picture[0, 4:6, 8:12, 0] = 255
    shares = ColourReadout((4, 8, 8)).shares(to_model(picture)).view(8, 8, COLOURS)
    assert shares.sum(dim=2).eq(1).all()
    assert shares[0, 0, 63] == 1 / 16
    assert shares[0, 0, 0] == 15 / 16
    assert shares[1, 2, 48] == 0.5
    assert shares[7, 7, 0] == 1


def test_larger_pictures_have_the_same_shares(rng: np.random.Generator) -> None:
    small = rng.integers(256, size=(3, 32, 32, 3), dtype=np.uint8)
    large = small.repeat(4, axis=1).repeat(4, axis=2)
    readout = ColourReadout((4, 8, 8))
    torch.testing.assert_close(readout.shares(to_model(small)), readout.shares(to_model(large)))


def test_the_readout_learns_shapes_the_encoder_and_is_not_kept(tmp_path: Path, rng: np.random.Generator) -> None:
    images = rng.integers(256, size=(64, 1, 1, 3), dtype=np.uint8).repeat(32, axis=1).repeat(32, axis=2)
    config = replace(
        smoke().vae, steps=60, batch_size=64, hidden=64, channels=[16], ema_decay=0.0, colour_weight=0.01,
        colour_until=0.5, lr_warmup_steps=0,
    )  # fmt: skip
    training = VAETraining(config, torch.device("cpu"))
    readout = training.whole.readout
    assert readout is not None

    def error() -> torch.Tensor:
        return readout(training.vae.encode(to_model(images)).mean, to_model(images))

    error().backward()
    assert all(p.grad is not None and p.grad.any() for p in training.vae.encoder.parameters() if p.ndim == 4)
    before = error().item()
    while training.step < 30:
        training.train_on(images)
    assert error().item() < 0.7 * before
    assert colour_weight(training.step, config) == 0.0
    kept = readout.read.weight.detach().clone()
    training.train_on(images)  # without the readout: no gradient, and only weight decay moves it
    torch.testing.assert_close(readout.read.weight.detach(), kept, rtol=0.1, atol=0.05)
    training.save(tmp_path)
    VAE.from_pretrained(tmp_path / "vae")  # would refuse weights it does not know
