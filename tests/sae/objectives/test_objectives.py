import pytest
import torch

from swiggle.config import SAEConfig
from swiggle.sae.inputs import Inputs, times
from swiggle.sae.model import SparseAutoencoder
from swiggle.sae.nested_l1 import by_formula
from swiggle.sae.objective import objective_of, whitening_of
from swiggle.sae.objectives import objective_names
from swiggle.sae.objectives.batch_topk import smallest_of_largest, without_waiting
from swiggle.sae.objectives.jumprelu import JumpReLU
from swiggle.sae.silence import Silence, _unexplained, aux_k_loss
from tests.sae.conftest import normal_sae


def config(objective: str, **settings: object) -> SAEConfig:
    return SAEConfig(objective=objective, features=24, latent_dim=12, **settings)


def terms(sae: SparseAutoencoder, x: torch.Tensor, warmth: float = 1.0) -> dict[str, torch.Tensor]:
    return objective_of(sae.config, 100)(sae, x, warmth)


def test_l1_against_the_formula() -> None:
    sae, x = normal_sae(config("l1", l1=3.0)), torch.randn(7, 12)
    total = 0.0
    for row in x:
        f = torch.clamp(row @ sae.W_enc + sae.b_enc, min=0)
        error = ((f @ sae.W_dec + sae.b_dec - row) ** 2).sum()
        total += error + 0.5 * 3.0 * sum(f[i] * sae.W_dec[i].norm() for i in range(24))
    torch.testing.assert_close(terms(sae, x, warmth=0.5)["loss"], total / 7)


def test_l1_2023_against_the_formula() -> None:
    sae, x = normal_sae(config("l1_2023", l1=3.0)), torch.randn(7, 12)
    total = 0.0
    for row in x:
        f = torch.clamp((row - sae.b_dec) @ sae.W_enc + sae.b_enc, min=0)
        total += ((f @ sae.W_dec + sae.b_dec - row) ** 2).sum() + 3.0 * f.sum()
    torch.testing.assert_close(terms(sae, x)["loss"], total / 7)


def test_matryoshka_l1_is_the_mean_of_l1_over_its_prefixes() -> None:
    sae, x = normal_sae(config("matryoshka_l1", l1=3.0, prefixes=[0.25, 1.0])), torch.randn(7, 12)
    f = torch.relu(x @ sae.W_enc + sae.b_enc)
    total = 0.0
    for end in (6, 24):
        error = ((f[:, :end] @ sae.W_dec[:end] + sae.b_dec - x) ** 2).sum(dim=1).mean()
        total += (error + 3.0 * (f[:, :end] * sae.W_dec[:end].norm(dim=1)).sum(dim=1).mean()) / 2
    torch.testing.assert_close(terms(sae, x)["loss"], total)


@pytest.mark.parametrize(("name", "ends"), [("l1", [24]), ("matryoshka_l1", [6, 12, 24])])
def test_the_gradient_written_out_is_that_of_the_formula(name: str, ends: list[int]) -> None:
    sae, x = normal_sae(config(name, l1=3.0, prefixes=[0.25, 0.5, 1.0])), torch.randn(50, 12)
    parameters = [sae.W_enc, sae.b_enc, sae.W_dec, sae.b_dec]
    formula, written_out = by_formula(sae, x, ends, 1.5), terms(sae, x, warmth=0.5)
    assert formula.keys() == written_out.keys()
    for term, value in formula.items():
        torch.testing.assert_close(written_out[term], value, rtol=1e-5, atol=1e-5)
    wanted = torch.autograd.grad(2.0 * formula["loss"], parameters)
    exact = torch.autograd.grad(2.0 * written_out["loss"], parameters)
    torch.testing.assert_close(exact, wanted, rtol=1e-5, atol=1e-5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = torch.autograd.grad(2.0 * terms(sae, x, warmth=0.5)["loss"], parameters)
    for got, right in zip(rounded, wanted, strict=True):
        assert got.dtype == torch.float32
        assert (got - right).norm() < 0.02 * right.norm()


def test_topk_against_the_formula() -> None:
    sae, x = normal_sae(config("topk", k=3)), torch.randn(7, 12)
    total = 0.0
    for row in x:
        z = (row - sae.b_dec) @ sae.W_enc + sae.b_enc
        length = z * sae.W_dec.norm(dim=1)  # by which features compete
        f = torch.where(length >= length.sort(descending=True).values[2], z.clamp_min(0), 0)
        total += ((f @ sae.W_dec + sae.b_dec - row) ** 2).sum()
    torch.testing.assert_close(terms(sae, x)["loss"], total / 7)


def test_batch_topk_keeps_k_a_latent_on_average_and_learns_its_threshold() -> None:
    sae, x = normal_sae(config("batch_topk", k=3)), torch.randn(50, 12)
    objective = objective_of(sae.config, 100)
    for _ in range(400):
        seen = objective(sae, x, 1.0)
    assert seen["l0"] == 3.0
    norms = sae.W_dec.norm(dim=1)
    lengths = torch.relu((x - sae.b_dec) @ sae.W_enc + sae.b_enc) * norms
    cut = lengths.flatten().sort(descending=True).values[149]
    torch.testing.assert_close(objective.threshold(sae), cut / norms, rtol=1e-4, atol=1e-4)


def test_smallest_of_largest() -> None:
    f = torch.tensor([[4.0, 0.0, 2.0], [0.0, 3.0, 1.0]])
    assert smallest_of_largest(f, 2) == 3.0
    assert smallest_of_largest(f, 5) == 1.0
    for near in (0.1, 3.0, 6.0, 100.0):
        assert smallest_of_largest(f, 2, near) == 3.0
        assert smallest_of_largest(f, 3, near) == 2.0
    assert smallest_of_largest(torch.zeros(2, 3), 2) == 0.0


def test_matryoshka_is_the_mean_over_its_prefixes() -> None:
    sae, x = normal_sae(config("matryoshka", k=3, prefixes=[0.25, 0.5, 1.0])), torch.randn(50, 12)
    z, norms = torch.relu((x - sae.b_dec) @ sae.W_enc + sae.b_enc), sae.W_dec.norm(dim=1)
    f = torch.where(z * norms >= (z * norms).flatten().sort(descending=True).values[149], z, 0)
    errors = [((f[:, :m] @ sae.W_dec[:m] + sae.b_dec - x) ** 2).sum(1).mean() for m in (6, 12, 24)]
    torch.testing.assert_close(terms(sae, x)["loss"], sum(errors) / 3)


@pytest.mark.parametrize("prefixes", [[], [0.5], [0.5, 0.25, 1.0], [0.001, 1.0]])
def test_prefixes_that_are_none_are_refused(prefixes: list[float]) -> None:
    with pytest.raises(ValueError, match=r"sae\.prefixes"):
        terms(normal_sae(config("matryoshka_l1", prefixes=prefixes)), torch.randn(7, 12))


def test_jumprelu_against_the_formula_and_the_estimate_of_its_gradient() -> None:
    sae, x = normal_sae(config("jumprelu", l1=3.0, bandwidth=0.5)), torch.randn(40, 12)
    objective = objective_of(sae.config, 100)
    assert isinstance(objective, JumpReLU)
    objective.theta.data.uniform_(0.5, 1.0)
    z, norms = x @ sae.W_enc + sae.b_enc, sae.W_dec.norm(dim=1)
    f = torch.where(z > objective.theta, z, 0.0).detach().requires_grad_()
    error = ((f @ sae.W_dec + sae.b_dec - x) ** 2).sum(1).mean()
    for_f = error + 3.0 * torch.tanh(4 * f * norms).sum(1).mean()
    sunken = 3e-6 * ((objective.theta - z).clamp_min(0) * norms).sum(1).mean()
    loss = objective(sae, x, 1.0)["loss"]
    torch.testing.assert_close(loss, for_f + sunken)

    # Moving a threshold past z switches f between 0 and theta: by that times dL/df, over samples near the threshold.
    (gradient,) = torch.autograd.grad(for_f, f)
    near = (z - objective.theta).abs() < 0.25
    expected = -(gradient * near * objective.theta / 0.5).sum(0) + torch.autograd.grad(sunken, objective.theta)[0]
    loss.backward()
    torch.testing.assert_close(objective.theta.grad, expected)
    assert near.any()


@pytest.mark.parametrize("name", objective_names())
def test_folding_keeps_the_function(name: str) -> None:
    sae, x = normal_sae(config(name, k=5)), 3.0 * torch.randn(50, 12) + 1.0
    inputs = Inputs.of(x, whitening_of(sae.config))
    objective = objective_of(sae.config, 100).eval()
    objective.after_step(sae)  # rows of norm 1, where that is the habit
    if name == "jumprelu":
        objective.theta.data.fill_(0.8)
    if name in ("batch_topk", "matryoshka"):
        objective.weakest.fill_(0.8)
    z, norms = objective.preactivations(sae, inputs(x)), sae.W_dec.norm(dim=1)
    f = objective.select(z * norms) / norms if name == "topk" else torch.where(z > objective.threshold(sae), z, 0)
    folded = objective.folded(sae, inputs)
    lengths = times(sae.W_dec, inputs.inverse).norm(dim=1)
    torch.testing.assert_close(folded.W_dec.norm(dim=1), torch.ones(24))
    torch.testing.assert_close(folded(x)[1], f * lengths, rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(inputs(folded(x)[0]), sae.decode(f), rtol=1e-4, atol=1e-3)


def test_a_step_keeps_unit_rows_and_takes_no_gradient_along_them() -> None:
    sae, x = normal_sae(config("l1_2023")), torch.randn(7, 12)
    objective = objective_of(sae.config, 100)
    objective.after_step(sae)
    objective(sae, x, 1.0)["loss"].backward()
    objective.before_step(sae)
    assert sae.W_dec.grad is not None
    along = (sae.W_dec.grad * sae.W_dec).sum(1)
    torch.testing.assert_close(along, torch.zeros(24), atol=1e-4, rtol=0)


def test_silence_counts_samples_and_aux_k_wakes_the_dead() -> None:
    silence = Silence(3, samples_per_pass=10)
    silence.saw(torch.tensor([[1.0, 0.0, 0.0]] * 6))
    silence.saw(torch.tensor([[0.0, 2.0, 0.0]] * 6))
    assert silence.since.tolist() == [6, 0, 12]
    assert silence.dead().tolist() == [False, False, True]

    sae, x = normal_sae(config("topk")), torch.randn(9, 12)
    dead = torch.zeros(24, dtype=torch.bool)
    z = x @ sae.W_enc
    assert aux_k_loss(sae.W_dec, z, x, dead) == 0.0
    dead[:10] = True
    chosen = z[:, :10].topk(6, dim=1)
    approximation = torch.zeros(9, 10).scatter(1, chosen.indices, chosen.values) @ sae.W_dec[:10]
    expected = (approximation - x).square().sum() / (x - x.mean(0)).square().sum()
    loss = aux_k_loss(sae.W_dec, z, x, dead)
    torch.testing.assert_close(loss, expected)
    loss.backward()
    assert sae.W_dec.grad is not None
    assert not sae.W_dec.grad[10:].any()


@pytest.mark.parametrize("count", [1, 2, 3, 5, 6, 100])
def test_the_cut_of_a_batch_without_waiting_for_a_gpu(count: int) -> None:
    for f in (torch.relu(torch.randn(7, 9)), torch.zeros(2, 3), torch.tensor([[3.0, 0.0], [5.0, 1.0]])):
        assert without_waiting(f, count) == smallest_of_largest(f, count)


@pytest.mark.parametrize("dead_share", [0.0, 0.1, 0.9])
def test_what_the_dead_explain_without_waiting_for_a_gpu(dead_share: float) -> None:
    """The form with fixed shapes that a GPU takes, and the one that leaves out what is alive: value and gradient."""
    rows, z, x = (torch.randn(*shape) for shape in ((40, 16), (12, 40), (12, 16)))
    dead = torch.arange(40) < 40 * dead_share
    losses, gradients = [], []
    for form in (aux_k_loss, lambda *given: torch.where(given[3].any(), _unexplained(*given), 0.0)):
        leaves = [rows.clone().requires_grad_(), z.clone().requires_grad_()]
        loss = form(*leaves, x, dead)
        losses.append(loss.detach())
        if loss.requires_grad:
            loss.backward()
        gradients.append([torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for leaf in leaves])
    torch.testing.assert_close(*losses)
    torch.testing.assert_close(*gradients)
