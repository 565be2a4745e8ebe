import pytest
import torch

from swiggle.config import SAEConfig
from swiggle.sae.metrics import dictionary_metrics
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
