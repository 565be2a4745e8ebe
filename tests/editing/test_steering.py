import numpy as np
import pytest
import torch

from swiggle.config import SAEConfig, VAEConfig
from swiggle.editing.plan import EditPlan, Operation
from swiggle.editing.steering import PlanError, Steering
from swiggle.models.vae import VAE, to_images
from swiggle.sae.inputs import Inputs
from swiggle.sae.model import SparseAutoencoder
from swiggle.sae.objective import objective_of


@pytest.fixture
def steering() -> Steering:
    torch.manual_seed(1)
    vae = VAE(VAEConfig(image_size=32, encoder="dense", decoder="dense", hidden=32)).eval()
    config = SAEConfig(features=40)
    sae = objective_of(config, 1).folded(SparseAutoencoder(config), Inputs.of(torch.randn(9, config.latent_dim), 0.0))
    return Steering(vae, sae, np.linspace(0.5, 2.0, 40, dtype=np.float32))


@pytest.fixture
def latents() -> torch.Tensor:
    torch.manual_seed(2)
    return torch.randn(3, 4, 8, 8)


def plan(*operations: dict) -> EditPlan:
    return EditPlan.model_validate({"operations": list(operations)})


def expected(steering: Steering, latents: torch.Tensor, feature: int, value: torch.Tensor | float) -> np.ndarray:
    """The picture of z + (f' - f) W_dec for one changed feature."""
    with torch.inference_mode():
        f = steering.sae.encode(latents.flatten(1))
        delta = (value - f[:, feature])[:, None] * steering.sae.W_dec[feature]
        return to_images(steering.vae.decode(latents + delta.view_as(latents)))


def close(a: np.ndarray, b: np.ndarray) -> bool:
    return np.abs(a.astype(int) - b.astype(int)).max() <= 1


def test_an_empty_plan_changes_no_bit(steering: Steering, latents: torch.Tensor) -> None:
    with torch.inference_mode():
        untouched = to_images(steering.vae.decode(latents))
    np.testing.assert_array_equal(steering.steer(latents, EditPlan()), untouched)
    same = plan({"op": "scale", "feature": 3, "strength": 1.0}, {"op": "add", "feature": 4, "strength": 0.0})
    np.testing.assert_array_equal(steering.steer(latents, same), untouched)


@pytest.mark.parametrize("op", ["add", "set", "scale", "ablate", "swap"])
def test_each_operation(steering: Steering, latents: torch.Tensor, op: str) -> None:
    f = steering.sae.encode(latents.flatten(1)).detach()
    feature = int(f.mean(0).argmax())
    unit = float(steering.mean_activation[feature])
    donor = torch.rand(40)
    value = {
        "add": (f[:, feature] + 1.5 * unit).clamp_min(0), "set": 1.5 * unit, "scale": 1.5 * f[:, feature],
        "ablate": 0.0, "swap": donor[feature],
    }[op]  # fmt: skip
    operation = {"op": op, "feature": feature, "strength": 1.5} | ({"from": "other"} if op == "swap" else {})
    edited = steering.steer(latents, plan(operation), {"other": donor})
    assert close(edited, expected(steering, latents, feature, torch.as_tensor(value)))


def test_a_mask_is_a_blend_of_pictures(steering: Steering, latents: torch.Tensor) -> None:
    mask = [[1.0] * 8 if row < 4 else [0.0] * 8 for row in range(8)]
    operation = {"op": "set", "feature": 2, "strength": 5.0}
    whole = steering.steer(latents, plan(operation))
    masked = steering.steer(latents, plan(operation | {"mask": mask}))
    untouched = steering.steer(latents, EditPlan())
    np.testing.assert_array_equal(masked[:, 16:], untouched[:, 16:])
    assert close(masked[:, :16], whole[:, :16])
    assert not close(whole, untouched)


def test_plans_that_do_not_fit_are_named(steering: Steering, latents: torch.Tensor) -> None:
    with pytest.raises(PlanError, match="no feature 40"):
        steering.steer(latents, EditPlan(operations=[Operation(op="ablate", feature=40)]))
    with pytest.raises(PlanError, match="copy from"):
        steering.steer(latents, plan({"op": "swap", "feature": 0, "from": "nowhere"}))


def test_undone_plans_leave_the_latent_as_it_was(steering: Steering, latents: torch.Tensor) -> None:
    mask = [[1.0] * 4 + [0.0] * 4 for _ in range(8)]
    edit = plan(
        {"op": "set", "feature": 2, "strength": 3.0},
        {"op": "add", "feature": 3, "strength": -2.0},
        {"op": "scale", "feature": 4, "strength": 0.5},
        {"op": "swap", "feature": 5, "from": "other"},
        {"op": "ablate", "feature": 6},
        {"op": "set", "feature": 2, "strength": 1.0},
        {"op": "set", "feature": 7, "strength": 4.0, "mask": mask},
    )
    sources = {"other": torch.rand(40)}
    one = latents[:1]
    activations = steering.sae.encode(one.flatten(1)).detach().numpy()[0]
    back = edit.then(edit.undone(activations, steering.mean_activation.numpy()))
    assert (steering.layers(one, edit, sources)[0][1] - one).abs().max() > 0.1
    for _, latent in steering.layers(one, back, sources):
        assert (latent - one).abs().max() <= 1e-6
    np.testing.assert_array_equal(steering.steer(one, back, sources), steering.steer(one, EditPlan()))


@pytest.mark.parametrize("size", [28, 100, 4])
def test_masks_fit_pictures_of_any_size(size: int) -> None:
    torch.manual_seed(1)
    vae = VAE(VAEConfig(image_size=size, encoder="dense", decoder="dense", hidden=16)).eval()
    config = SAEConfig(features=40)
    sae = objective_of(config, 1).folded(SparseAutoencoder(config), Inputs.of(torch.randn(9, config.latent_dim), 0.0))
    steering = Steering(vae, sae, np.ones(40, dtype=np.float32))
    latents = torch.randn(2, 4, 8, 8)
    upper = [[float(row < 4)] * 8 for row in range(8)]
    change = {"op": "set", "feature": 5, "strength": 9.0}
    masked = steering.steer(latents, plan(change | {"mask": upper}))
    everywhere, nowhere = steering.steer(latents, plan(change)), steering.steer(latents, EditPlan())
    half = size // 2
    np.testing.assert_array_equal(masked[:, :half], everywhere[:, :half])
    np.testing.assert_array_equal(masked[:, half:], nowhere[:, half:])
    assert (everywhere != nowhere).any()
