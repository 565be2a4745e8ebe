import copy

import pytest
import torch

from swiggle.config import SAEConfig
from swiggle.sae.epochs import train_sae
from swiggle.sae.metrics import dictionary_metrics
from swiggle.sae.objectives import objective_names
from tests.sae.conftest import synthetic

NAMES = objective_names()


def test_a_known_dictionary_of_uneven_slots_is_recovered() -> None:
    """Values in five slots of 2 to 80, as unequal as those of the characters: the frequent ones do not crowd out the
    rare."""
    latents, directions = synthetic([2, 30, 60, 80, 20], dim=128, count=6_000)
    config = SAEConfig(features=384, latent_dim=128, epochs=12, batch_size=128, lr=4e-3, bf16="never")
    *_, last = train_sae(latents, config)
    folded = last.folded()
    best = (directions @ folded.W_dec.T).max(dim=1).values
    assert (best > 0.9).float().mean() >= 0.95
    assert dictionary_metrics(folded, latents)["fvu"] < 0.05


@pytest.mark.parametrize("objective", NAMES)
def test_every_objective_learns_a_known_dictionary(objective: str) -> None:
    latents, directions = synthetic([20, 20, 20], dim=48, count=4_000)
    config = SAEConfig(
        objective=objective, features=96, latent_dim=48, k=3, epochs=10, batch_size=128, lr=5e-3, bf16="never",
        prefixes=[0.75, 1.0],  # the smallest dictionary has room for the sixty values
    )  # fmt: skip
    *_, last = train_sae(latents, config)
    folded = last.folded()
    torch.testing.assert_close(folded.W_dec.norm(dim=1), torch.ones(96))
    metrics = dictionary_metrics(folded, latents)
    assert metrics["fvu"] < 0.1
    assert 2.5 < metrics["l0"] < 8.0
    # Exactly one value of each slot is present, so a constant can move from one slot's directions to another's at no
    # cost in error or L0. Only a penalty on the size of activations decides between these dictionaries.
    if objective.startswith("l1"):
        best = (directions @ folded.W_dec.T).max(dim=1).values
        assert (best > 0.9).float().mean() >= 0.9


@pytest.mark.parametrize("objective", NAMES)
def test_a_resumed_training_ends_where_an_unbroken_one_does(objective: str) -> None:
    latents, _ = synthetic([20, 20, 20], dim=48, count=500)
    config = SAEConfig(
        objective=objective, features=64, latent_dim=48, k=4, epochs=4, batch_size=100, resample=[0.5], bf16="never"
    )
    *_, unbroken = train_sae(latents, config)
    broken = copy.deepcopy(next(iter(train_sae(latents, config))).state())
    *_, resumed = train_sae(latents, config, broken)
    assert resumed.number == unbroken.number == 4
    for part in ("sae", "objective"):
        for name, value in unbroken.state()[part].items():
            assert torch.equal(value, resumed.state()[part][name]), (part, name)
