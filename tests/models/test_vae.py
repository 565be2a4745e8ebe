from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from swiggle.config import VAEConfig
from swiggle.models.vae import VAE, Posterior, to_images, to_model
from swiggle.presets import paper, quick

SMALL = VAEConfig(image_size=32, encoder="dense", decoder="dense", hidden=16, blocks=1)


def test_paper_architecture() -> None:
    vae = VAE(paper().vae)
    assert vae.latent_shape == (4, 8, 8)
    strides = [m.stride for m in vae.encoder.modules() if isinstance(m, torch.nn.Conv2d)]
    assert strides == [(2, 2)] * 4 + [(1, 1)]
    # Counted by hand: 4x4 kernels up and down the ladder, 1x1 to and from the latent.
    up = [(3, 64), (64, 128), (128, 512), (512, 1024)]
    encoder = sum(16 * a * b + b for a, b in up) + 1024 * 8 + 8
    decoder = 4 * 1024 + 1024 + sum(16 * a * b + b for a, b in [(1024, 512), (512, 128), (128, 64), (64, 3)])
    assert sum(p.numel() for p in vae.parameters()) == encoder + decoder
    pictures = torch.zeros(1, 3, 128, 128)
    reconstruction, posterior = vae(pictures, torch.zeros(1, 4, 8, 8))
    assert reconstruction.shape == pictures.shape
    assert posterior.mean.shape == (1, 4, 8, 8)


@pytest.mark.parametrize("size", [32, 64, 128])
def test_ladder_latent_is_a_sixteenth(size: int) -> None:
    vae = VAE(VAEConfig(image_size=size, channels=[4, 4, 4, 4]))
    assert vae.encode(torch.zeros(2, 3, size, size)).mean.shape == (2, 4, size // 16, size // 16)
    assert vae.decode(torch.zeros(2, *vae.latent_shape)).shape == (2, 3, size, size)


def test_quick_has_the_same_latent() -> None:
    assert VAE(quick().vae).latent_shape == (4, 8, 8)


@pytest.mark.parametrize(
    "change",
    [
        {"encoder": "conv", "decoder": "conv", "image_size": 30},
        {"encoder": "conv", "channels": [8]},
        {"decoder": "conv", "channels": [8]},
    ],
)
def test_sizes_that_do_not_fit_are_named(change: dict) -> None:
    with pytest.raises(ValueError, match=r"vae\.(image_size|decoder|channels)"):
        VAE(replace(SMALL, **change))


def test_kl_matches_torch(rng: np.random.Generator) -> None:
    mean, log_variance = (torch.from_numpy(rng.normal(size=(5, 4, 2, 2))) for _ in range(2))
    normal = torch.distributions.Normal(mean, torch.exp(0.5 * log_variance))
    standard = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    expected = torch.distributions.kl_divergence(normal, standard).flatten(1).sum(1)
    torch.testing.assert_close(Posterior(mean, log_variance).kl(), expected)


def test_pretrained_round_trip_is_exact(tmp_path: Path, rng: np.random.Generator) -> None:
    vae = VAE(SMALL).eval()
    vae.save_pretrained(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"config.json", "model.safetensors"}
    pictures = to_model(rng.integers(0, 256, (2, 32, 32, 3), dtype=np.uint8))
    loaded = VAE.from_pretrained(tmp_path)
    assert torch.equal(loaded.encode(pictures).mean, vae.encode(pictures).mean)
    (tmp_path / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(ValueError, match=r"model\.safetensors"):
        VAE.from_pretrained(tmp_path)
    (tmp_path / "config.json").unlink()
    with pytest.raises(ValueError, match=r"config\.json"):
        VAE.from_pretrained(tmp_path)


def test_pictures_survive_the_way_to_the_model_and_back(rng: np.random.Generator) -> None:
    images = rng.integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    np.testing.assert_array_equal(to_images(to_model(images)), images)
