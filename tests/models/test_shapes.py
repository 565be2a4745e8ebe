"""Sizes of pictures and latents, checked without building a model."""

import subprocess
import sys
from pathlib import Path

import pytest

from swiggle.config import DataConfig, RunConfig, VAEConfig
from swiggle.errors import SwiggleError
from swiggle.models.vae import VAE


def test_shapes_are_those_of_the_models() -> None:
    from swiggle.models.shapes import latent_shape

    for config in (
        VAEConfig(channels=[8, 8, 8, 8]),
        VAEConfig(image_size=64, channels=[8, 8, 8], decoder="dense", hidden=8),
        VAEConfig(image_size=30, encoder="dense", decoder="dense", hidden=8, latent_channels=2),
    ):
        assert latent_shape(config) == VAE(config).latent_shape
    assert latent_shape(VAEConfig()) == (4, 8, 8)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (VAEConfig(image_size=100), r"vae\.image_size: 100 .*16.*96 or 112"),
        (VAEConfig(image_size=8), r"vae\.image_size: 8 .*16"),
        (VAEConfig(image_size=0), r"vae\.image_size: 0"),
        (VAEConfig(image_size=-32, encoder="dense", decoder="dense"), r"vae\.image_size: -32"),
        (VAEConfig(image_size=64, decoder="dense"), r"vae\.decoder: dense.*8x8.*4"),
        (VAEConfig(image_size=64, encoder="dense"), r"vae\.channels.*\b3\b"),
        (VAEConfig(image_size=100, encoder="dense"), r"vae\.image_size: 100"),
        (VAEConfig(channels=[]), r"vae\.channels"),
        (VAEConfig(channels=[8, 0]), r"vae\.channels"),
        (VAEConfig(latent_channels=0), r"vae\.latent_channels: 0"),
    ],
)
def test_what_does_not_fit_is_one_sentence_with_the_field_and_what_would(config: VAEConfig, words: str) -> None:
    from swiggle.models.shapes import ShapeError, latent_shape

    with pytest.raises(ShapeError, match=words) as error:
        latent_shape(config)
    assert isinstance(error.value, SwiggleError)
    assert "\n" not in str(error.value)
    with pytest.raises(ShapeError, match=words):
        VAE(config)


def test_sizes_are_checked_before_a_picture_is_imported(tmp_path: Path) -> None:
    from jobs.prepare_data import work
    from swiggle.models.shapes import ShapeError

    config = RunConfig(run=str(tmp_path / "run"), data=DataConfig(source="/no/such/place"))
    config.vae.image_size = 100
    with pytest.raises(ShapeError, match=r"vae\.image_size"):
        work(config, "key")


def test_checking_sizes_needs_no_torch() -> None:
    check = "import sys, swiggle.models.shapes; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", check], check=True)
