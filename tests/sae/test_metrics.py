import math

import numpy as np
import pytest
import torch

from swiggle.config import SAEConfig, VAEConfig
from swiggle.models.vae import VAE, to_model
from swiggle.sae.metrics import decoder_loss_recovered, dictionary_metrics
from swiggle.sae.model import SparseAutoencoder


def test_metrics_by_hand() -> None:
    sae = SparseAutoencoder(SAEConfig(features=3, latent_dim=2))
    with torch.no_grad():
        sae.W_enc.copy_(torch.tensor([[1.0, 0.0, -1.0], [0.0, 1.0, -1.0]]))
        sae.W_dec.copy_(torch.tensor([[0.5, 0.0], [0.0, 1.0], [1.0, 1.0]]))
        sae.b_enc.zero_()
        sae.b_dec.zero_()
    # Reconstructions (1, 0) and (0, 4): errors 1 and 0; mean (1, 2), variation 1 + 4 + 1 + 4 = 10.
    metrics = dictionary_metrics(sae, torch.tensor([[2.0, 0.0], [0.0, 4.0]]))
    assert metrics["l0"] == 1.0
    assert metrics["fvu"] == pytest.approx(0.1)
    assert metrics["dead"] == pytest.approx(1 / 3)
    assert metrics["cosine"] == pytest.approx(1.0)
    assert metrics["shrinkage"] == pytest.approx(0.75)
    assert metrics["dense"] == pytest.approx(2 / 3)
    assert sum(metrics["density_histogram"]) == 2


def test_fvu_does_not_depend_on_batches(random_sae: SparseAutoencoder) -> None:
    x = torch.randn(9_000, 12)
    whole = dictionary_metrics(random_sae, x)["fvu"]
    expected = ((x - random_sae(x)[0]) ** 2).sum() / ((x - x.mean(0)) ** 2).sum()
    assert whole == pytest.approx(expected.item(), rel=1e-4)


@pytest.mark.parametrize("count", [1, 60])
def test_latents_that_do_not_vary_have_finite_metrics(random_sae: SparseAutoencoder, count: int) -> None:
    """The convention of scikit-learn's R2: nothing to explain is explained if it comes back, else not at all."""
    still = torch.randn(1, 12).repeat(count, 1)
    metrics = dictionary_metrics(random_sae, still)
    assert metrics["fvu"] == 1.0
    assert all(math.isfinite(value) for value in metrics.values() if isinstance(value, float))
    with torch.no_grad():
        random_sae.W_dec.zero_()
        random_sae.b_dec.copy_(still[0])
    assert dictionary_metrics(random_sae, still)["fvu"] == 0.0


def test_pictures_that_do_not_vary_have_a_finite_recovered_loss() -> None:
    vae = VAE(VAEConfig(image_size=16, encoder="dense", decoder="dense", hidden=8)).eval()
    sae = SparseAutoencoder(SAEConfig(features=8, latent_dim=256))
    images = np.full((3, 16, 16, 3), 90, np.uint8)
    with torch.inference_mode():
        latent = vae.encode(to_model(images)).mean.flatten(1)[0]
    assert decoder_loss_recovered(vae, sae, images, latent) in (0.0, 1.0)
