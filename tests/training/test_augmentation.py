import pytest
import torch

from swiggle.config import Change
from swiggle.training.augmentation import Augmentation

CPU = torch.device("cpu")
PICTURES = torch.randint(0, 256, (12, 32, 32, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
ALL: list[Change] = ["mirror", "shift", "colours"]


def changed(
    changes: list[Change], share: float = 0.5, seed: int = 0, step: int = 0, rows: range = range(12)
) -> torch.Tensor:
    given = PICTURES[rows.start : rows.stop]
    return Augmentation(changes, share, seed, rows, CPU).of(given, step)


def test_workers_together_change_a_batch_as_one_does() -> None:
    whole = changed(ALL, step=700)
    parts = [changed(ALL, step=700, rows=rows) for rows in (range(5), range(5, 12))]
    assert torch.equal(torch.cat(parts), whole)


def test_what_becomes_of_a_picture_depends_on_step_and_seed_alone() -> None:
    used = Augmentation(ALL, 0.5, 0, range(12), CPU)
    for step in range(3):
        used.of(PICTURES, step)
    assert torch.equal(used.of(PICTURES, 300), changed(ALL, step=300))
    assert not torch.equal(changed(ALL, step=300), changed(ALL, step=301))
    assert not torch.equal(changed(ALL, step=300), changed(ALL, step=300, seed=1))


@pytest.mark.parametrize("change", ALL)
def test_only_a_share_is_changed_and_the_rest_left_exactly(change: Change) -> None:
    altered = torch.stack([(changed([change], 0.3, step=s) != PICTURES).flatten(1).any(dim=1) for s in range(300)])
    expected = {"mirror": 0.3, "shift": 0.3 * 24 / 25, "colours": 0.3 * 5 / 6}[change]
    assert altered.float().mean().item() == pytest.approx(expected, abs=0.03)
    assert torch.equal(changed([change], 0.0), PICTURES)


def test_each_change_is_what_it_is_called() -> None:
    assert torch.equal(changed(["mirror"], 1.0), PICTURES.flip(2))
    coloured = changed(["colours"], 1.0)
    assert torch.equal(coloured.sort(dim=3).values, PICTURES.sort(dim=3).values)
    moved = changed(["shift"], 1.0)
    places = [(down, right) for down in range(-2, 3) for right in range(-2, 3)]
    for one, other in zip(moved, PICTURES, strict=True):
        rolled = [other.roll((down, right), (0, 1))[2:-2, 2:-2] for down, right in places]
        assert sum(torch.equal(one[2:-2, 2:-2], there) for there in rolled) == 1


def test_without_changes_nothing_is_copied() -> None:
    assert changed([]).data_ptr() == PICTURES.data_ptr()
