from dataclasses import replace

import pytest
import torch

from swiggle.training.replay import Replayed
from swiggle.training.vae_training import VAETraining
from tests.training.test_vae_training import CONFIG, CPU, batch


def test_inputs_stay_where_they_are() -> None:
    places = []

    def step(x: torch.Tensor, y: torch.Tensor) -> dict[str, torch.Tensor]:
        places.append((x.data_ptr(), y.data_ptr()))
        return {"sum": x + y}

    replayed = Replayed(step, capture=False)
    for number in range(5):
        given = torch.full((3,), float(number))
        assert replayed(given, 2 * given)["sum"].tolist() == [3.0 * number] * 3
        assert given.tolist() == [number] * 3
    assert len(set(places)) == 1
    with pytest.raises(RuntimeError):
        replayed(torch.zeros(4), torch.zeros(4))


@pytest.mark.parametrize("accumulate", [1, 3])
def test_a_step_that_finds_all_in_tensors_is_the_same_step(accumulate: int) -> None:
    """What a CUDA graph replays, without the recording: learning rate and weights of the loss come in a tensor."""
    config = replace(CONFIG, accumulate=accumulate, kl_free_steps=3, kl_warmup_steps=10, lr_warmup_steps=5)
    plain, replayed = VAETraining(config, CPU), VAETraining(config, CPU)
    replayed.replay(capture=False)
    for step in range(20):
        one, other = (training.train_on(torch.from_numpy(batch(step))) for training in (plain, replayed))
        torch.testing.assert_close(one.loss, other.loss)
        torch.testing.assert_close(one.grad_norm, other.grad_norm)
        assert one.lr == other.lr
    for expected, found in zip(plain.result.parameters(), replayed.result.parameters(), strict=True):
        torch.testing.assert_close(found, expected)
