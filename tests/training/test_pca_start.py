from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from swiggle.config import VAEArchitecture
from swiggle.errors import ConfigError
from swiggle.models.vae import VAE
from swiggle.training.pca_start import LOG_VARIANCE, begin_as, components_of, latent_dim

SMALL = VAEArchitecture(image_size=16, latent_channels=1, encoder="dense", decoder="dense", hidden=160)


def pictures(count: int, kinds: int = 200) -> np.ndarray:
    """Pictures that vary in a few hundred ways, of different strength."""
    draw = np.random.default_rng(0)
    parts = draw.normal(size=(kinds, 16 * 16 * 3)) / np.arange(1, kinds + 1)[:, None]
    return np.clip(128 + 90 * draw.normal(size=(count, kinds)) @ parts, 0, 255).astype(np.uint8).reshape(-1, 16, 16, 3)


def test_a_model_begins_as_the_principal_components() -> None:
    known, new = np.split(pictures(500), [400])
    vae = VAE(SMALL)
    begin_as(vae, components_of(known, SMALL))
    flat = [vae.pictures(part).flatten(1) for part in (known, new)]
    pca = PCA(64, svd_solver="full").fit(flat[0].numpy())
    posterior = vae.encode(vae.pictures(new))
    back = vae.decode(posterior.mean).flatten(1)
    expected = pca.inverse_transform(pca.transform(flat[1].numpy()))
    error, least = ((torch.as_tensor(made) - flat[1]).square().mean().item() for made in (back, expected))
    assert error == pytest.approx(least, rel=0.02)
    assert posterior.log_variance.flatten().unique().tolist() == [LOG_VARIANCE]
    assert vae.encode(vae.pictures(known)).mean.square().mean().item() == pytest.approx(1.0, rel=0.02)


@pytest.mark.parametrize("given", [pictures(12), np.full((60, 16, 16, 3), 7, np.uint8), pictures(1)])
def test_few_or_equal_pictures_give_fewer_components_and_a_sound_model(given: np.ndarray) -> None:
    components = components_of(given, SMALL)
    assert len(components.axes) < len(given)
    vae = VAE(SMALL)
    begin_as(vae, components)
    latents = vae.encode(vae.pictures(given)).mean
    assert latents.flatten(1).norm(dim=1).mean() > 0.1
    back = vae.decode(latents)
    torch.testing.assert_close(back, vae.pictures(given), atol=2e-2, rtol=0.0)


def test_everything_can_still_learn() -> None:
    vae = VAE(SMALL)
    begin_as(vae, components_of(pictures(100), SMALL))
    given = vae.pictures(pictures(8))
    for _ in range(2):  # what is behind weights of zero learns once these have moved
        reconstruction, posterior = vae(given, torch.randn(8, *vae.latent_shape))
        ((reconstruction - given).square().mean() + 1e-6 * posterior.kl().mean()).backward()
        with torch.no_grad():
            for weight in vae.parameters():
                weight.sub_(0.1 * weight.grad)
    assert all(weight.grad is not None and weight.grad.any() for weight in vae.parameters())


@pytest.mark.parametrize(
    ("changed", "message"), [({"encoder": "conv"}, "vae.encoder=dense"), ({"hidden": 100}, "128 would do")]
)
def test_a_model_without_room_for_them_is_refused(changed: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        latent_dim(replace(SMALL, **changed))
