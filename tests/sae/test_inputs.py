import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits

from swiggle.config import SAEConfig
from swiggle.errors import ConfigError
from swiggle.sae.epochs import train_sae
from swiggle.sae.inputs import LONGEST, Inputs, mean_to_deviation, moments_of, times
from swiggle.sae.metrics import dictionary_metrics
from swiggle.sae.objective import whitening_of
from swiggle.sae.trainer import SAETraining


def uneven(count: int = 4_000, dim: int = 16) -> torch.Tensor:
    """Latents whose directions vary by 1 to 100, far from the origin."""
    generator = torch.Generator().manual_seed(0)
    turned = torch.linalg.qr(torch.randn(dim, dim, generator=generator))[0]
    return torch.randn(count, dim, generator=generator) * torch.logspace(0, 2, dim) @ turned + 30.0


@pytest.mark.parametrize("whitening", [0.0, 0.5, 1.0])
def test_inputs_are_centred_of_size_one_and_come_back(whitening: float) -> None:
    latents = uneven()
    inputs = Inputs.of(latents, whitening)
    seen = inputs(latents)
    torch.testing.assert_close(seen.mean(dim=0), torch.zeros(16), atol=1e-4, rtol=0)
    assert seen.square().sum(dim=1).mean().item() == pytest.approx(16.0, rel=1e-4)
    torch.testing.assert_close(times(seen, inputs.inverse) + inputs.mean, latents, rtol=1e-3, atol=1e-2)


def test_whitening_brings_deviations_together_by_its_power() -> None:
    latents = uneven()
    spread = {}
    for whitening in (0.0, 0.5, 1.0):
        variances = torch.linalg.eigvalsh(torch.cov(Inputs.of(latents, whitening)(latents).T))
        spread[whitening] = float(variances[-1] / variances[-5])  # of the longer directions, which are not evened out
    assert spread[0.5] == pytest.approx(spread[0.0] ** 0.5, rel=0.05)
    assert spread[1.0] == pytest.approx(1.0, abs=0.1)


def test_moments_of_parts_are_those_of_the_whole() -> None:
    latents = uneven(1_000).numpy()
    whole, parts = moments_of(latents), moments_of(latents[:300]) + moments_of(latents[300:])
    np.testing.assert_allclose(parts.mean, whole.mean)
    np.testing.assert_allclose(parts.covariance, whole.covariance)
    diagonal = moments_of(latents[:300], whole=False) + moments_of(latents[300:], whole=False)
    np.testing.assert_allclose(diagonal.covariance, np.diagonal(whole.covariance))


def test_the_mean_is_said_in_deviations() -> None:
    latents = torch.randn(5_000, 9) + torch.tensor([4.0] + [0.0] * 8)
    assert mean_to_deviation(moments_of(latents.numpy())) == pytest.approx(4 / 3, rel=0.02)


def test_latents_that_do_not_vary_stay_as_they_are() -> None:
    latents = torch.full((20, 5), 3.0)
    for whitening in (0.0, 0.6):
        assert torch.equal(Inputs.of(latents, whitening)(latents), torch.zeros(20, 5))


def test_what_cannot_be_whitened_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"sae.whitening: 1.5 is not between 0 and 1"):
        Inputs.of(uneven(10), 1.5)
    with pytest.raises(ConfigError, match=r"too long to whiten; sae.whitening=0"):
        Inputs.of(torch.zeros(2, LONGEST + 1), 0.5)
    Inputs.of(torch.zeros(2, LONGEST + 1), 0.0)


def test_topk_keeps_lengths_as_they_are() -> None:
    assert whitening_of(SAEConfig(objective="topk", whitening=0.6)) == 0.0
    assert whitening_of(SAEConfig(objective="batch_topk", whitening=0.6)) == 0.6


def test_a_short_part_of_the_latent_has_features_when_whitened() -> None:
    """Twenty values of a slot whose vectors are an eighth as long as those of another."""
    rng = np.random.default_rng(0)
    long, short = 8.0 * rng.normal(size=(40, 24)), rng.normal(size=(20, 24))
    long[:, 18:] = short[:, :18] = 0.0
    picks = rng.integers(40, size=6_000), rng.integers(20, size=6_000)
    latents = torch.from_numpy(long[picks[0]] + short[picks[1]]).float()
    found = {}
    for whitening in (0.0, 0.8):
        config = SAEConfig(
            features=128, latent_dim=24, epochs=8, batch_size=128, lr=5e-3, l1=1.0, bf16="never", whitening=whitening
        )
        *_, last = train_sae(latents, config)
        wrong = (last.folded()(latents)[0] - latents)[:, 18:].square().sum() / latents[:, 18:].square().sum()
        found[whitening] = wrong.item()
    assert found[0.8] < 0.4
    assert found[0.0] > 0.8


def test_a_training_goes_on_with_the_inputs_it_began_with() -> None:
    latents = uneven(500)
    config = SAEConfig(features=32, latent_dim=16, epochs=2, batch_size=100, bf16="never")
    first = next(train_sae(latents, config))
    state = first.state()
    (again,) = train_sae(latents + 5.0, config, state)
    torch.testing.assert_close(again.training.inputs.mean, Inputs.of(latents, config.whitening).mean)


def test_weak_activations_are_dropped() -> None:
    latents = uneven(2_000)
    config = SAEConfig(features=64, latent_dim=16, epochs=3, batch_size=100, l1=0.3, bf16="never", weak=0.0)
    *_, last = train_sae(latents, config)
    whole = last.folded()
    activations = whole.encode(latents).detach()
    last.training.config.weak = 0.3
    cut = last.folded()
    mean = activations.sum(dim=0) / (activations > 0).sum(dim=0).clamp_min(1)
    torch.testing.assert_close(cut.encode(latents), torch.where(activations > 0.3 * mean, activations, 0.0))
    assert dictionary_metrics(cut, latents)["l0"] < dictionary_metrics(whole, latents)["l0"]


@pytest.mark.parametrize("objective", ["l1", "matryoshka_l1"])
def test_features_fire_on_few_latents_before_they_learn(objective: str) -> None:
    latents = uneven(2_000)
    config = SAEConfig(objective=objective, features=256, latent_dim=16)
    training = SAETraining(config, len(latents), Inputs.of(latents, config.whitening))
    density = (training.folded().encode(latents) > 0).float().mean().item()
    assert 0.001 < density < 0.02


def test_inputs_do_not_depend_on_the_number_of_threads() -> None:
    latents = uneven(20_000, 64)
    found = []
    for threads in (1, 4):
        with threadpool_limits(threads):
            found.append(Inputs.of(latents, 0.6))
    assert torch.equal(found[0].matrix, found[1].matrix)
    assert torch.equal(found[0].mean, found[1].mean)
