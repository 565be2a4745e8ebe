"""Devices without a GPU: the device `meta` passes for one. Under FakeTensorMode whatever mixes it with the CPU raises,
and so does what would have to wait for a GPU: values that Python asks for, and shapes that depend on values."""

import math
from collections.abc import Iterator
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensorDeviceMismatchError,
    FakeTensorMode,
)

from swiggle.atlas.previews import _on_grid
from swiggle.atlas.sweeps import STRENGTHS
from swiggle.config import SAEConfig, VAEArchitecture, VAEConfig
from swiggle.editing.plan import EditPlan
from swiggle.editing.steering import Steering
from swiggle.models.vae import VAE, to_model
from swiggle.presets import paper, quick
from swiggle.sae.inputs import Inputs
from swiggle.sae.model import SparseAutoencoder
from swiggle.sae.objective import objective_of
from swiggle.sae.objectives import objective_names
from swiggle.training.colour_readout import ColourReadout, ReadVAE
from swiggle.training.noise import normal
from swiggle.training.vae_loss import vae_loss

CARD = torch.device("meta")
SMALL = {
    "dense": VAEArchitecture(image_size=16, encoder="dense", decoder="dense", hidden=8, blocks=1),
    "conv": VAEArchitecture(image_size=32, channels=[4, 8]),
}


@pytest.fixture
def fake() -> Iterator[None]:
    with FakeTensorMode():
        yield


@pytest.mark.usefixtures("fake")
def test_mixing_and_waiting_raise_here() -> None:
    x = torch.empty(3, 4, device=CARD)
    with pytest.raises(FakeTensorDeviceMismatchError):
        x @ torch.empty(4, 5)
    with pytest.raises(DataDependentOutputException):
        x.sum().item()
    with pytest.raises(DynamicOutputShapeException):
        x[x > 0]


@pytest.mark.parametrize("config", [quick().vae, paper().vae])
def test_models_on_meta(config: VAEConfig) -> None:
    with torch.device("meta"):
        vae = VAE(config)
        sae = SparseAutoencoder(SAEConfig(latent_dim=math.prod(vae.latent_shape)))
        reconstruction, posterior = vae(
            torch.empty(2, 3, config.image_size, config.image_size), torch.empty(2, *vae.latent_shape)
        )
        decoded, activations = sae(posterior.mean.flatten(1))
    assert {x.device.type for x in (reconstruction, posterior.mean, decoded, activations)} == {"meta"}
    assert vae.device.type == sae.device.type == "meta"


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("kind", SMALL)
def test_a_training_step_stays_on_the_card(kind: str) -> None:
    with CARD:
        vae = VAE(SMALL[kind])
    model = ReadVAE(vae, None)
    images = torch.empty(3, 16, 16, 3, dtype=torch.uint8, device=CARD)
    pictures = to_model(images, CARD, vae.config.image_size)
    noise = normal(0, range(1), range(3), math.prod(vae.latent_shape), CARD).view(3, *vae.latent_shape)
    reconstruction, posterior, colours = model(pictures, noise)
    losses = vae_loss(reconstruction, pictures, posterior, torch.empty((), device=CARD))
    (losses["loss"] + colours).backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    assert {x.device for x in (pictures, noise, norm, colours, *losses.values())} == {CARD}


@pytest.mark.usefixtures("fake")
def test_the_readout_of_colours_stays_on_the_card() -> None:
    readout = ColourReadout.__new__(ColourReadout)
    torch.nn.Module.__init__(readout)
    readout.colours, readout.first, readout.read = 5, None, torch.nn.Linear(256, 16 * 5, device=CARD)
    readout.register_buffer("nearest", torch.empty(32**3, dtype=torch.int64, device=CARD))
    error = readout(torch.empty(2, 4, 8, 8, device=CARD), torch.empty(2, 3, 32, 32, device=CARD))
    error.backward()
    assert error.device == CARD


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("name", objective_names())
def test_objectives_stay_on_the_card_and_do_not_wait_for_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Autocast knows no `meta`.
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda kind: False)
    monkeypatch.setattr(torch, "autocast", lambda kind, enabled: nullcontext())
    config = SAEConfig(objective=name, features=64, latent_dim=16, k=4)
    with CARD:
        sae, objective = SparseAutoencoder(config), objective_of(config, 100)
    inputs = Inputs(*(torch.empty(shape, device=CARD) for shape in ((16,), (16, 16), (16, 16))))
    terms = objective(sae, inputs(torch.empty(8, 16, device=CARD)), torch.empty((), device=CARD))
    terms["loss"].backward()
    objective.before_step(sae)
    objective.after_step(sae)
    assert {value.device for value in terms.values()} == {CARD}
    assert {p.device for p in objective.folded(sae, inputs).parameters()} == {CARD}


@pytest.mark.usefixtures("fake")
def test_steering_takes_latents_from_anywhere() -> None:
    with CARD:
        vae, sae = VAE(SMALL["dense"]), SparseAutoencoder(SAEConfig(features=64))
    steering = Steering.__new__(Steering)
    steering.vae, steering.sae, steering.dictionary = vae, sae, None
    steering.mean_activation = torch.empty(64, device=CARD)
    plan = EditPlan.model_validate(
        {"operations": [{"feature": i, "op": op, "strength": 0.5} for i, op in enumerate(("add", "set", "scale"))]}
    )
    (_, moved), *_ = steering.layers(torch.empty(2, *vae.latent_shape), plan)
    assert moved.device == CARD
    with torch.inference_mode():
        assert vae.decode(moved).device == CARD


@pytest.mark.usefixtures("fake")
def test_footprints_stay_on_the_card() -> None:
    assert _on_grid(torch.empty(2, 1, 64, 64, device=CARD)).device == CARD


def test_numpy_in_numpy_out_whatever_the_size() -> None:
    vae = VAE(SMALL["conv"]).eval()
    images = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    np.testing.assert_array_equal(vae.encode_images(images), vae.encode_images(images.repeat(2, 1).repeat(2, 2)))
    assert len(STRENGTHS) == 9
