import torch

from swiggle.config import SAEConfig
from swiggle.sae.stability import stability
from tests.sae.conftest import normal_sae


def test_order_and_length_do_not_matter_and_chance_is_low() -> None:
    config = SAEConfig(features=64, latent_dim=128)
    one, same, other = normal_sae(config), normal_sae(config), normal_sae(config, seed=1)
    with torch.no_grad():
        same.W_dec.copy_(one.W_dec[torch.randperm(64)] * 3.0)
    assert abs(stability(one, same) - 1.0) < 1e-5
    assert stability(one, other) < 0.4
