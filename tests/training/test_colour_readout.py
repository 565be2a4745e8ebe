from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from swiggle.models.vae import VAE, to_model
from swiggle.presets import smoke
from swiggle.training.colour_readout import ColourReadout
from swiggle.training.vae_training import VAETraining

PALETTE = np.array([[0, 0, 0], [255, 255, 255], [255, 0, 0]], dtype=np.uint8)


def test_occurrences_by_hand() -> None:
    """A picture of 32 x 32 over 4 x 4 regions of 8 x 8 pixels, black but for four white pixels and one red half."""
    picture = np.zeros((1, 32, 32, 3), dtype=np.uint8)
    picture[0, 0, 0:4] = 255
    picture[0, 8:12, 16:24, 0] = 250
    seen = ColourReadout(256, PALETTE).occurrences(to_model(picture)).view(4, 4, 3)
    assert seen[0, 0].tolist() == [1.0, 0.5, 0.0]  # four of 64 pixels are half of the eighth that is enough
    assert seen[1, 2].tolist() == [1.0, 0.0, 1.0]
    assert seen[3, 3].tolist() == [1.0, 0.0, 0.0]


def test_larger_pictures_have_the_same_occurrences(rng: np.random.Generator) -> None:
    small = rng.integers(256, size=(3, 32, 32, 3), dtype=np.uint8)
    large = small.repeat(4, axis=1).repeat(4, axis=2)
    readout = ColourReadout(256, PALETTE)
    torch.testing.assert_close(readout.occurrences(to_model(small)), readout.occurrences(to_model(large)))


def test_colours_close_in_the_palette_are_told_apart() -> None:
    """The two backgrounds of Nouns are twelve levels apart."""
    cool, warm = np.array([0xD5, 0xD7, 0xE1], np.uint8), np.array([0xE1, 0xD7, 0xD5], np.uint8)
    readout = ColourReadout(256, np.stack([cool, warm]))
    for number, colour in enumerate((cool, warm)):
        seen = readout.occurrences(to_model(np.broadcast_to(colour, (1, 32, 32, 3)).copy())).view(16, 2)
        assert seen[:, number].eq(1).all()
        assert seen.sum() == 16


def test_the_readout_learns_shapes_the_encoder_and_is_not_kept(tmp_path: Path, rng: np.random.Generator) -> None:
    images = PALETTE[rng.integers(3, size=64)][:, None, None].repeat(32, axis=1).repeat(32, axis=2)
    config = replace(
        smoke().vae, steps=60, batch_size=64, hidden=64, ema_decay=0.0, colour_weight=0.01, lr_warmup_steps=0
    )
    with pytest.raises(ValueError, match="palette"):
        VAETraining(config, torch.device("cpu"))
    training = VAETraining(config, torch.device("cpu"), palette=PALETTE)
    readout = training.whole.readout
    assert readout is not None

    def error() -> torch.Tensor:
        return readout(training.vae.encode(to_model(images)).mean, to_model(images))

    error().backward()
    assert all(p.grad is not None and p.grad.any() for p in training.vae.encoder.parameters() if p.ndim > 1)
    before = error().item()
    while training.step < 30:
        training.train_on(images)
    assert error().item() < 0.7 * before
    training.save(tmp_path)
    VAE.from_pretrained(tmp_path / "vae")  # would refuse weights it does not know


def test_the_readout_fades_at_the_end(rng: np.random.Generator) -> None:
    images = PALETTE[rng.integers(3, size=16)][:, None, None].repeat(32, axis=1).repeat(32, axis=2)
    config = replace(smoke().vae, steps=10, batch_size=16, hidden=16, lr=0.0, colour_weight=100.0, colour_fade=0.5)
    training = VAETraining(config, torch.device("cpu"), palette=PALETTE)
    reports = [training.train_on(images) for _ in range(10)]
    colour = np.array([float(r.loss - r.error) for r in reports])  # the KL divergence's part is below a thousandth
    np.testing.assert_allclose(colour / colour[0], [1, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2], atol=0.03)
