"""Our numbers are SAELens's: same weights and batch, same loss and gradients; same file, same function.

pytest benchmarks/peers        # needs pip install 'swiggle[peers]'
"""

from pathlib import Path

import pytest
import torch
from sae_lens import SAE, StandardTrainingSAE, StandardTrainingSAEConfig
from sae_lens.saes.sae import TrainStepInput

from swiggle.config import Objective, SAEConfig
from swiggle.sae.inputs import Inputs
from swiggle.sae.model import SparseAutoencoder
from swiggle.sae.objective import objective_of
from swiggle.sae.saelens import export_saelens, import_saelens

NAMES = ("W_enc", "W_dec", "b_enc", "b_dec")


def random_sae(config: SAEConfig) -> SparseAutoencoder:
    torch.manual_seed(0)
    sae = SparseAutoencoder(config)
    with torch.no_grad():
        for parameter in sae.parameters():
            parameter.normal_(std=0.2)
    return sae


@pytest.mark.parametrize("tied", [False, True])
def test_loss_and_gradients(tied: bool) -> None:
    """The L1 objective of April 2024; with SAELens's tied bias, that of 2023 on unit rows."""
    config = SAEConfig(objective="l1_2023" if tied else "l1", l1=3.0)
    ours, objective = random_sae(config), objective_of(config, 1_000)
    objective.after_step(ours)
    theirs = StandardTrainingSAE(
        StandardTrainingSAEConfig(d_in=256, d_sae=2_048, l1_coefficient=3.0, apply_b_dec_to_input=tied)
    )
    theirs.load_state_dict({name: getattr(ours, name).detach().clone() for name in NAMES}, strict=False)
    batch = torch.randn(256, 256)
    mine = objective(ours, batch, 1.0)["loss"]
    step = theirs.training_forward_pass(
        TrainStepInput(
            sae_in=batch, coefficients={"l1": 3.0}, dead_neuron_mask=None, n_training_steps=0, is_logging_step=False
        )
    )
    torch.testing.assert_close(mine, step.loss, rtol=1e-5, atol=1e-5)
    mine.backward()
    step.loss.backward()
    for name in NAMES:
        wanted, got = getattr(theirs, name).grad, getattr(ours, name).grad
        if tied and name == "W_dec":  # theirs weighs activations by row norms even where they are 1
            along = (wanted * ours.W_dec).sum(1, keepdim=True) * ours.W_dec
            wanted, got = wanted - along, got - (got * ours.W_dec).sum(1, keepdim=True) * ours.W_dec
        torch.testing.assert_close(got, wanted.detach(), rtol=1e-4, atol=1e-5 * wanted.abs().max().item())


@pytest.mark.parametrize("objective", ["l1", "topk", "batch_topk"])
def test_what_is_exported_opens_there_as_the_same_function(tmp_path: Path, objective: Objective) -> None:
    config = SAEConfig(objective=objective, features=128, latent_dim=32, k=5)
    sae = objective_of(config, 1_000).folded(random_sae(config), Inputs.of(torch.randn(99, config.latent_dim), 0.5))
    if objective == "batch_topk":
        sae.threshold.fill_(0.1)
    export_saelens(sae, tmp_path)
    theirs = SAE.load_from_disk(tmp_path)
    batch = torch.randn(64, 32)
    reconstruction, activations = sae(batch)
    torch.testing.assert_close(theirs.encode(batch), activations, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(theirs.decode(activations), reconstruction, rtol=1e-4, atol=1e-5)
    theirs.save_model(tmp_path / "back")
    torch.testing.assert_close(import_saelens(tmp_path / "back")(batch), (reconstruction, activations))
