import numpy as np
import pytest
import torch

from swiggle.models.vae import VAE, to_model
from swiggle.presets import paper, quick
from swiggle.training.order import batch_indices, worker_share
from swiggle.training.schedule import fall_at_the_end, vae_lr_factor
from swiggle.training.vae_loss import kl_weight, vae_loss


def test_kl_schedule_of_the_paper() -> None:
    config = paper().vae
    assert [kl_weight(step, config) for step in (0, 999, 1_000)] == [0.0, 0.0, 0.0]
    assert kl_weight(6_000, config) == pytest.approx(0.5e-6)
    assert kl_weight(11_000, config) == kl_weight(1_999_999, config) == 1e-6
    assert kl_weight(0, quick().vae) == quick().vae.kl_weight


def test_learning_rates() -> None:
    assert [vae_lr_factor(s, 100, 10, "linear") for s in (0, 9, 50)] == [pytest.approx(0.1), pytest.approx(0.91), 0.5]
    assert vae_lr_factor(99, 100, 0, "constant") == 1.0
    assert [fall_at_the_end(s, 100, 0.2) for s in (0, 80, 90, 99)] == [1.0, 1.0, 0.5, pytest.approx(0.05)]
    assert [fall_at_the_end(s, 100, 0.0) for s in (0, 99)] == [1.0, 1.0]


def test_batches_cover_each_epoch_once_and_depend_on_the_step_alone() -> None:
    seen = np.concatenate([batch_indices(step, 8, 20, seed=3) for step in range(5)])
    assert sorted(seen[:20]) == sorted(seen[20:]) == list(range(20))
    np.testing.assert_array_equal(batch_indices(3, 8, 20, seed=3), seen[24:32])
    assert (batch_indices(0, 8, 20, seed=4) != seen[:8]).any()


def test_workers_share_a_batch() -> None:
    batch = np.arange(8)
    np.testing.assert_array_equal(np.concatenate([worker_share(batch, r, 4) for r in range(4)]), batch)
    assert [len(worker_share(batch, r, 3)) for r in range(3)] == [3, 3, 2]
    with pytest.raises(ValueError, match=r"vae\.batch_size"):
        worker_share(batch, 0, 9)


def test_loss_is_error_plus_weighted_kl(rng: np.random.Generator) -> None:
    vae = VAE(quick().vae)
    pictures = to_model(rng.integers(0, 256, (4, 32, 32, 3), dtype=np.uint8))
    reconstruction, posterior = vae(pictures, torch.zeros(4, 4, 8, 8))
    losses = vae_loss(reconstruction, pictures, posterior, 0.01)
    expected = ((reconstruction - pictures) ** 2).mean() + 0.01 * posterior.kl().mean()
    torch.testing.assert_close(losses["loss"], expected)
