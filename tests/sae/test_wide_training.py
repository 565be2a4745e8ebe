"""Training a dictionary of 65,536 features, a few steps on a CPU: nothing in it takes features x features."""

import pytest
import torch

from swiggle.config import Objective, SAEConfig
from swiggle.sae.epochs import train_sae
from swiggle.sae.metrics import dictionary_metrics


@pytest.mark.parametrize("objective", ["l1", "topk", "batch_topk", "jumprelu", "matryoshka_l1"])
def test_a_few_steps_at_65536_features(objective: Objective) -> None:
    latents = torch.randn(24, 16, generator=torch.Generator().manual_seed(0))
    config = SAEConfig(objective=objective, features=65_536, latent_dim=16, epochs=2, batch_size=8, k=4)
    epochs = list(train_sae(latents, config))
    assert epochs[-1].number == 2
    found = epochs[-1].folded()
    assert found.W_dec.shape == (65_536, 16)
    assert torch.isfinite(found.W_dec).all()
    assert dictionary_metrics(found, latents)["fvu"] > 0
