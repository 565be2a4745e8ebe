from dataclasses import replace

import pytest
import torch

from swiggle.config import VAEArchitecture
from swiggle.models.refine import LEAST, Refine, folding
from swiggle.models.vae import VAE

DENSE = VAEArchitecture(image_size=32, encoder="dense", decoder="dense", hidden=16, blocks=1)


@pytest.mark.parametrize(("size", "fold"), [(16, 1), (24, 1), (25, 1), (32, 2), (48, 2), (64, 4), (100, 4), (256, 16)])
def test_pictures_are_folded_as_long_as_enough_is_left(size: int, fold: int) -> None:
    assert folding(size) == fold
    assert size // fold >= LEAST


@pytest.mark.parametrize("size", [16, 25, 32])
def test_it_changes_nothing_before_it_has_learnt(size: int) -> None:
    pictures = torch.randn(2, 3, size, size)
    assert torch.equal(Refine(size, 8)(pictures), pictures)


def test_a_correction_follows_the_picture_wherever_things_are() -> None:
    torch.manual_seed(0)
    refine = Refine(32, 8)
    torch.nn.init.normal_(refine.leave.weight)
    pictures = torch.zeros(1, 3, 32, 32)
    pictures[:, :, 12:16, 12:16] = 1.0
    moved = refine(pictures.roll((2, -2), (2, 3)))
    torch.testing.assert_close(moved[..., 9:-9, 9:-9], refine(pictures).roll((2, -2), (2, 3))[..., 9:-9, 9:-9])


def test_a_decoder_has_one_only_if_asked_for() -> None:
    without, refined = VAE(DENSE), VAE(replace(DENSE, refine=8))
    assert {name for name, _ in refined.named_parameters()} - {name for name, _ in without.named_parameters()} == {
        f"decoder.refine.{layer}.{part}"
        for layer in ("enter", "blocks.0", "blocks.1", "leave")
        for part in ("weight", "bias")
    }
    refined.load_state_dict(without.state_dict(), strict=False)
    latents = torch.randn(2, *refined.latent_shape)
    assert torch.equal(refined.decode(latents), without.decode(latents))
