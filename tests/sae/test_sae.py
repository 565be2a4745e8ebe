from pathlib import Path

import numpy as np
import pytest
import torch

from swiggle.config import SAEConfig, SweepConfig
from swiggle.sae.choice import choose
from swiggle.sae.figures import draw_sweep
from swiggle.sae.l1 import input_scale, l1_loss
from swiggle.sae.metrics import dictionary_metrics
from swiggle.sae.model import SparseAutoencoder
from swiggle.sae.train import train_sae


def random_sae(features: int = 24, dim: int = 12, seed: int = 0) -> SparseAutoencoder:
    torch.manual_seed(seed)
    sae = SparseAutoencoder(SAEConfig(features=features, latent_dim=dim))
    with torch.no_grad():
        for parameter in sae.parameters():
            parameter.normal_()
    return sae


def synthetic(count: int = 20_000, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Latents [count, 48] that are sums of 3 of 60 unit directions, one from each of 3 slots; and the directions."""
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(60, 48))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    picks = rng.integers(20, size=(count, 3)) + np.array([0, 20, 40])
    amounts = rng.uniform(0.8, 1.2, size=(count, 3))
    latents = np.einsum("nk,nkd->nd", amounts, directions[picks])
    return torch.from_numpy(latents).float(), torch.from_numpy(directions).float()


def test_initialisation_of_april_2024() -> None:
    sae = SparseAutoencoder(SAEConfig(features=64, latent_dim=16, decoder_init_norm=0.1))
    torch.testing.assert_close(sae.W_dec.norm(dim=1), torch.full((64,), 0.1))
    assert torch.equal(sae.W_enc, sae.W_dec.T)
    assert not sae.b_enc.any()
    assert not sae.b_dec.any()


def test_loss_against_the_formula() -> None:
    sae, x = random_sae(), torch.randn(7, 12)
    total = 0.0
    for row in x:
        f = torch.clamp(row @ sae.W_enc + sae.b_enc, min=0)
        error = ((f @ sae.W_dec + sae.b_dec - row) ** 2).sum()
        total += error + 3.0 * sum(f[i] * sae.W_dec[i].norm() for i in range(24))
    torch.testing.assert_close(l1_loss(sae, x, 3.0)["loss"], total / 7)


def test_input_scale() -> None:
    x = 5 * torch.randn(1_000, 16) + 1
    assert (x * input_scale(x)).norm(dim=1).mean().item() == pytest.approx(4.0, rel=1e-5)


def test_folding_keeps_the_function() -> None:
    sae, x, scale = random_sae(), torch.randn(50, 12), 2.7
    folded = sae.folded(scale)
    torch.testing.assert_close(folded.W_dec.norm(dim=1), torch.ones(24))
    reconstruction, activations = sae(x * scale)
    torch.testing.assert_close(folded(x)[0], reconstruction / scale, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(folded(x)[1], activations * sae.W_dec.norm(dim=1) / scale, rtol=1e-4, atol=1e-4)


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


def test_fvu_does_not_depend_on_batches() -> None:
    sae, x = random_sae(), torch.randn(9_000, 12)
    whole = dictionary_metrics(sae, x)["fvu"]
    expected = ((x - sae(x)[0]) ** 2).sum() / ((x - x.mean(0)) ** 2).sum()
    assert whole == pytest.approx(expected.item(), rel=1e-4)


def test_training_recovers_a_known_dictionary() -> None:
    latents, directions = synthetic()
    config = SAEConfig(features=96, latent_dim=48, l1=1.0, epochs=15, batch_size=256, lr=3e-3, bf16="never")
    *_, last = train_sae(latents, config)
    folded = last.sae.folded(last.scale)
    best = (directions @ folded.W_dec.T).max(dim=1).values
    assert (best > 0.95).float().mean() >= 0.95
    assert dictionary_metrics(folded, latents)["fvu"] < 0.05


def test_a_resumed_training_ends_where_an_unbroken_one_does() -> None:
    latents, _ = synthetic(2_000)
    config = SAEConfig(features=64, latent_dim=48, epochs=4, batch_size=128, bf16="never")
    epochs = list(train_sae(latents, config))
    broken = next(iter(train_sae(latents, config)))
    state = {"sae": {k: v.clone() for k, v in broken.state()["sae"].items()}, **{
        k: v for k, v in broken.state().items() if k != "sae"}}  # fmt: skip
    *_, resumed = train_sae(latents, config, state)
    assert resumed.number == epochs[-1].number == 4
    for name, value in epochs[-1].sae.state_dict().items():
        assert torch.equal(value, resumed.sae.state_dict()[name])


def test_pretrained_round_trip(tmp_path: Path) -> None:
    sae, x = random_sae(), torch.randn(3, 12)
    sae.save_pretrained(tmp_path)
    assert torch.equal(SparseAutoencoder.from_pretrained(tmp_path)(x)[0], sae(x)[0])


def trial(l1: float, fvu: float, l0: float, dead: float) -> dict:
    return {"l1": l1, "fvu": fvu, "l0": l0, "dead": dead, "decoder_loss_recovered": 0.9, "density_histogram": [1] * 25}


def test_the_sparsest_that_keeps_the_bounds_is_chosen(tmp_path: Path) -> None:
    trials = [trial(1, 0.01, 40, 0.0), trial(2, 0.04, 20, 0.05), trial(4, 0.09, 8, 0.05), trial(3, 0.045, 15, 0.3)]
    index, reason = choose(trials, SweepConfig())
    assert index == 1
    assert "sparsest of the 2 of 4" in reason
    index, reason = choose(trials[2:], SweepConfig())
    assert index == 0
    assert "oversteps them least" in reason
    draw_sweep(trials, 1, tmp_path / "pareto.png")
    assert (tmp_path / "pareto.png").stat().st_size > 10_000
