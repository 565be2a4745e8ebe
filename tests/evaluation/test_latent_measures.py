"""Measures of a latent, on latents and decoders whose answers are known."""

from pathlib import Path

import numpy as np
import pytest
import torch

from swiggle.composition import composition_of
from swiggle.config import DataConfig, VAEConfig
from swiggle.data.sources import write_splits
from swiggle.evaluation.additive import fit_additive
from swiggle.evaluation.locality import locality
from swiggle.evaluation.truth import true_traits
from swiggle.evaluation.vae_figures import draw_curves, draw_reconstructions
from swiggle.models.vae import VAE
from tests.conftest import coloured

NOUNS = composition_of("nouns")


def test_an_additive_latent_is_recognised(rng: np.random.Generator) -> None:
    traits = NOUNS.draw(3_000, seed=1)
    vectors = {slot: rng.normal(size=(len(NOUNS.names(slot)), 16)) for slot in NOUNS.slots}
    clean = sum(vectors[slot][traits[:, column]] for column, slot in enumerate(NOUNS.slots)) + 3.0
    noise = rng.normal(size=clean.shape)
    model = fit_additive(clean[:2_500], traits[:2_500], NOUNS)
    assert model.r2(clean[2_500:], traits[2_500:]) == pytest.approx(1.0, abs=1e-6)
    # What a move from one value to another is does not depend on which solution was found.
    np.testing.assert_allclose(
        model.vectors["head"][7] - model.vectors["head"][2], vectors["head"][7] - vectors["head"][2], atol=1e-6
    )
    noisy = fit_additive(noise[:2_500], traits[:2_500], NOUNS)
    assert noisy.r2(noise[2_500:], traits[2_500:]) < 0.0


class Enlarge(torch.nn.Module):
    """A decoder whose cells paint 4 x 4 pixels and nothing else."""

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        return latents[:, :3].repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)


class Scatter(torch.nn.Module):
    """A decoder whose cells paint pixels far from where they are."""

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        return Enlarge()(latents.roll((4, 4), dims=(2, 3)))


def test_locality_of_known_decoders(rng: np.random.Generator) -> None:
    vae = VAE(VAEConfig(image_size=32, encoder="dense", decoder="dense", hidden=16, blocks=1))
    latents = rng.normal(size=(6, 4, 8, 8)).astype(np.float32)
    vae.decoder = Enlarge()
    assert locality(vae, latents)["share"] == pytest.approx(1.0)
    vae.decoder = Scatter()
    assert locality(vae, latents)["share"] == pytest.approx(0.0)
    # 36 cells have eight neighbours, 24 have five, 4 have three.
    assert locality(vae, latents)["by_chance"] == pytest.approx((36 * 9 + 24 * 6 + 4 * 4) / 64 / 64)


def test_true_traits_are_those_that_were_composed(tmp_path: Path) -> None:
    write_splits(DataConfig(count=200), 32, tmp_path)
    found = np.concatenate([true_traits(tmp_path / split, NOUNS) for split in ("train", "validation", "test")])
    assert sorted(map(tuple, found)) == sorted(map(tuple, NOUNS.draw(200, seed=0)))


def test_figures_are_drawn(tmp_path: Path, rng: np.random.Generator) -> None:
    pictures = rng.integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
    draw_reconstructions(pictures, pictures[::-1], tmp_path / "pictures.png")
    draw_curves({"train/psnr": (np.arange(3), np.arange(3.0))}, tmp_path / "curves.png")
    assert coloured(tmp_path / "pictures.png") > 10_000  # most of any picture of noise
    assert coloured(tmp_path / "curves.png") > 100


@pytest.mark.parametrize("count", [1, 3])
def test_latents_that_do_not_differ_have_no_locality(count: int) -> None:
    vae = VAE(VAEConfig(image_size=64, channels=[8, 8, 8], latent_channels=4)).eval()
    found = locality(vae, np.ones((count, 4, 8, 8), np.float32))
    assert found.keys() == {"by_chance"}
