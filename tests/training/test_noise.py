import pytest
import torch

from swiggle.training.noise import BatchNoise, normal, philox

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("counter", "seed", "expected"),
    [
        ((0, 0, 0, 0), 0, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, 0xFFFFFFFF_FFFFFFFF, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            0x299F31D0_A4093822,
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_the_authors_known_answers(counter: tuple[int, ...], seed: int, expected: tuple[int, ...]) -> None:
    """Of Random123's kat_vectors, philox4x32 with ten rounds."""
    one, two, three, four = (torch.tensor([word]) for word in counter)
    assert tuple(int(word) for word in philox((one, two, three, four), seed)) == expected


def test_rows_do_not_depend_on_who_draws_them() -> None:
    whole = normal(7, range(100, 103), range(10), 9, CPU)
    assert whole.shape == (3, 10, 9)
    assert torch.equal(normal(7, range(101, 102), range(4, 7), 9, CPU), whole[1:2, 4:7])
    assert not torch.equal(normal(8, range(101, 102), range(4, 7), 9, CPU), whole[1:2, 4:7])


def test_it_is_standard_normal() -> None:
    drawn = normal(0, range(4), range(1_000), 250, CPU).flatten()
    assert abs(drawn.mean()) < 0.005
    assert abs(drawn.std() - 1) < 0.005
    assert abs((drawn.abs() > 1.96).float().mean() - 0.05) < 0.002
    assert torch.isfinite(drawn).all()
    assert drawn.unique().numel() > 0.9 * drawn.numel()


def test_a_batchs_noise_is_that_of_its_step_in_any_order() -> None:
    noise = BatchNoise(3, range(2, 5), (4, 8, 8), CPU)
    for step in (0, 1, 700, 3, 2**33):
        expected = normal(3, range(step, step + 1), range(2, 5), 256, CPU).view(3, 4, 8, 8)
        assert torch.equal(noise.of(step), expected)
