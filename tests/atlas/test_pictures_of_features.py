import numpy as np
import pytest
import torch

from swiggle.atlas.previews import ablate, preview
from swiggle.atlas.sweeps import STRENGTHS, safe_range, sweep
from swiggle.config import SAEConfig, VAEConfig
from swiggle.models.vae import VAE
from swiggle.sae.model import SparseAutoencoder


@pytest.fixture(scope="module")
def models() -> tuple[VAE, SparseAutoencoder]:
    torch.manual_seed(0)
    vae = VAE(VAEConfig(image_size=32, encoder="dense", decoder="dense", hidden=16, blocks=1)).eval()
    sae = SparseAutoencoder(SAEConfig(features=24)).eval()
    with torch.no_grad():
        sae.W_dec.div_(sae.W_dec.norm(dim=1, keepdim=True))
    return vae, sae


def test_previews_and_ablations_are_what_they_say(models: tuple[VAE, SparseAutoencoder]) -> None:
    vae, sae = models
    drawn = preview(vae, sae, np.array([3, 5]), np.array([2.0, 0.0], np.float32))
    assert drawn.one_hot.shape == (2, 32, 32, 3)
    latents = torch.randn(4, *vae.latent_shape)
    found = ablate(vae, sae, 3, latents, torch.full((4,), 30.0))
    assert found.before.shape == found.after.shape == (4, 32, 32, 3)
    assert (found.change > 0).all()
    assert found.moved.shape == (4, 32, 32)
    assert (found.moved > 0).any()
    assert found.footprint.sum() == pytest.approx(1.0, abs=1e-5)
    expected = np.abs(found.before.astype(int) - found.after).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(found.change, expected, atol=0.6)
    assert found.difference.max() <= 255
    nothing = ablate(vae, sae, 3, latents[:0], torch.zeros(0))
    assert nothing.footprint.sum() == 0
    assert nothing.moved.shape == (0, 32, 32)


def test_a_sweep_goes_through_zero_and_tells_what_moves(models: tuple[VAE, SparseAutoencoder]) -> None:
    vae, sae = models
    levels = np.full(24, 5.0, np.float32)
    levels[7] = 0.0
    found = sweep(vae, sae, torch.randn(3, *vae.latent_shape), np.arange(24), levels, np.ones((24, 32, 32)) / 1024)
    assert found.strips.shape == (24, len(STRENGTHS), 32, 32, 3)
    assert found.seen[:, STRENGTHS == 0].tolist() == [[0.0]] * 24
    assert ((found.low <= 0) & (found.high >= 0)).all()
    assert (found.low[7], found.high[7], found.moved[7]) == (0.0, 0.0, [])
    assert ((found.outside >= 0) & (found.outside <= 0.2)).all()  # the footprint is everywhere
    assert all(feature != i for i, moved in enumerate(found.moved) for feature, _ in moved)
    again = sweep(vae, sae, torch.zeros(1, *vae.latent_shape), np.array([2]), levels, np.ones((1, 32, 32)) / 1024)
    assert again.strips.shape[0] == 1


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (STRENGTHS, (-2.0, 2.0)),
        (np.clip(STRENGTHS, -1.0, 1.5), (-1.0, 1.5)),  # saturates
        (np.where(STRENGTHS < -0.5, -STRENGTHS, STRENGTHS), (-0.5, 2.0)),  # turns back
        (-STRENGTHS, (0.0, 0.0)),  # the feature is not seen at all
        (0.3 * STRENGTHS, (-2.0, 2.0)),  # how much is seen of it does not matter, only that it goes on
    ],
)
def test_the_safe_range_ends_where_steps_are_not_seen(seen: np.ndarray, expected: tuple[float, float]) -> None:
    assert safe_range(seen) == expected
