from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from swiggle.models.vae import VAE, to_model
from swiggle.presets import smoke
from swiggle.training.colour_readout import COLOURS, ColourReadout
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


def test_training_makes_colours_easier_to_read_and_keeps_no_readout(tmp_path: Path, rng: np.random.Generator) -> None:
    """Pictures of one flat colour of eight, all on the line from black to white but for their order."""
    levels = rng.permutation(8)
    images = np.broadcast_to((levels * 36).astype(np.uint8)[:, None, None, None], (8, 32, 32, 3)).repeat(8, axis=0)
    config = replace(smoke().vae, steps=150, batch_size=64, hidden=64, channels=[16], ema_decay=0.0)

    def left_over(weight: float) -> float:
        """What a linear readout of noisy latents leaves of the variance of the colours."""
        training = VAETraining(replace(config, colour_weight=weight), torch.device("cpu"))
        while training.step < config.steps:
            training.train_on(images)
        training.save(tmp_path)
        vae = VAE.from_pretrained(tmp_path / "vae")  # would refuse weights it does not know
        with torch.inference_mode():
            noise = torch.randn((64 * 20, 4, 8, 8), generator=torch.Generator().manual_seed(0))
            pictures = to_model(images.repeat(20, axis=0))
            z = vae.encode(pictures).sample(noise).flatten(1)
            shares = ColourReadout((4, 8, 8)).shares(pictures)[:, :COLOURS]
        with_bias = torch.cat([z, torch.ones(len(z), 1)], dim=1)
        solution = torch.linalg.lstsq(with_bias, shares).solution
        return ((with_bias @ solution - shares).square().sum() / (shares - shares.mean(0)).square().sum()).item()

    assert left_over(0.01) < 0.8 * left_over(0.0)
