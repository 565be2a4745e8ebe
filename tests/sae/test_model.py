from pathlib import Path

import torch

from swiggle.config import SAEConfig
from swiggle.sae.model import SparseAutoencoder, strongest


def test_initialisation_of_april_2024() -> None:
    sae = SparseAutoencoder(SAEConfig(features=64, latent_dim=16, decoder_init_norm=0.1))
    torch.testing.assert_close(sae.W_dec.norm(dim=1), torch.full((64,), 0.1))
    assert torch.equal(sae.W_enc, sae.W_dec.T)
    assert not sae.b_enc.any()
    assert not sae.b_dec.any()


def test_activations_exceed_their_thresholds(random_sae: SparseAutoencoder) -> None:
    x = torch.randn(50, 12)
    z = x @ random_sae.W_enc + random_sae.b_enc
    torch.testing.assert_close(random_sae.encode(x), z.clamp_min(0.0))
    random_sae.threshold.fill_(1.5)
    f = random_sae.encode(x)
    assert torch.equal(f > 0, z > 1.5)
    torch.testing.assert_close(f[f > 0], z[z > 1.5])


def test_strongest_keeps_k_and_no_negative_one() -> None:
    z = torch.tensor([[3.0, -1.0, 2.0, 1.0], [-1.0, -2.0, 5.0, -3.0]])
    assert torch.equal(strongest(z, 2), torch.tensor([[3.0, 0.0, 2.0, 0.0], [0.0, 0.0, 5.0, 0.0]]))


def test_pretrained_round_trip(tmp_path: Path, random_sae: SparseAutoencoder) -> None:
    x = torch.randn(3, 12)
    random_sae.threshold.uniform_()
    random_sae.save_pretrained(tmp_path)
    assert torch.equal(SparseAutoencoder.from_pretrained(tmp_path)(x)[0], random_sae(x)[0])
