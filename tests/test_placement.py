from dataclasses import replace

import pytest
import torch

from swiggle.config import AtlasConfig, RunConfig, SweepConfig, VAEConfig
from swiggle.errors import ConfigError
from swiggle.overrides import load_config
from swiggle.placement import placed, usable_gpus


def test_without_a_gpu_nothing_asks_for_one() -> None:
    found = placed(RunConfig(), 0, 2)
    assert (found.vae.gpus_per_worker, found.vae.validation_gpus, found.vae.checkpoint_seconds) == (0.0, 0.0, 0.0)
    assert found.encode.gpus_per_worker == found.sweep.gpus_per_trial == found.atlas.gpus_per_worker == 0.0
    assert found.train_sae.gpus_per_worker == 0.0
    assert (found.encode.workers, found.atlas.workers, found.sweep.concurrent) == (1, 1, 2)


def test_one_card_is_shared_by_those_that_use_it_together() -> None:
    found = placed(replace(RunConfig(), sweep=SweepConfig(concurrent=3)), 1, 2)
    assert (found.vae.gpus_per_worker, found.vae.validation_gpus) == (pytest.approx(0.9), 0.1)
    assert found.vae.checkpoint_seconds == 5.0
    assert found.sweep.gpus_per_trial == 0.3333
    assert found.encode.gpus_per_worker == found.atlas.gpus_per_worker == 1.0


def test_of_many_cards_each_user_takes_one_at_most() -> None:
    found = placed(RunConfig(), 2, 4)
    assert (found.atlas.workers, found.atlas.gpus_per_worker) == (3, 0.6666)
    assert (found.sweep.concurrent, found.sweep.gpus_per_trial) == (4, 0.5)
    found = placed(replace(RunConfig(), atlas=AtlasConfig(workers=2), sweep=SweepConfig(concurrent=1)), 8, 64)
    assert found.atlas.gpus_per_worker == found.sweep.gpus_per_trial == found.train_sae.gpus_per_worker == 1.0


def test_one_card_with_many_processors_is_kept_busy() -> None:
    found = placed(RunConfig(), 1, 16)
    assert (found.atlas.workers, found.atlas.gpus_per_worker) == (4, 0.25)
    assert (found.encode.workers, found.encode.gpus_per_worker) == (4, 0.25)
    assert (found.sweep.concurrent, found.sweep.gpus_per_trial) == (8, 0.125)


def test_what_is_set_holds() -> None:
    config = replace(RunConfig(), vae=VAEConfig(gpus_per_worker=0.0, validation_gpus=0.5, checkpoint_seconds=2.0))
    found = placed(config, 4, 8).vae
    assert (found.gpus_per_worker, found.validation_gpus, found.checkpoint_seconds) == (0.0, 0.5, 2.0)
    assert placed(replace(RunConfig(), vae=VAEConfig(validation_pictures=0)), 1, 2).vae.gpus_per_worker == 1.0


@pytest.mark.parametrize("own", [1.0, 0.0])
def test_a_card_that_is_spoken_for_is_not_asked_for_again(own: float) -> None:
    """On one card a validation beside a worker with the whole of it would wait for ever."""
    assert placed(replace(RunConfig(), vae=VAEConfig(gpus_per_worker=own)), 1, 2).vae.validation_gpus == 0.0


def test_a_validation_on_a_card_of_its_own_leaves_the_training_its_own() -> None:
    assert placed(replace(RunConfig(), vae=VAEConfig(validation_gpus=1.0)), 2, 8).vae.gpus_per_worker == 1.0


def test_gpus_that_this_pytorch_cannot_use_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert usable_gpus(2.0, here=True) == 0
    assert usable_gpus(2.0, here=False) == 2
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert usable_gpus(2.0, here=True) == 2


def test_fewer_gpus_than_none_are_refused() -> None:
    with pytest.raises(ConfigError, match="gpus"):
        load_config(["gpus=-1"])
    assert load_config(["gpus=2"]).gpus == 2
