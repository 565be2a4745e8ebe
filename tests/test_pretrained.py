"""A model's `config.json` holds what defines the model, whatever else an older or newer release wrote there."""

import json
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch

from swiggle.config import SAEConfig, VAEConfig
from swiggle.models.vae import VAE
from swiggle.sae.model import SparseAutoencoder

VAE_SIZES = {
    "image_size": 16, "latent_channels": 2, "encoder": "dense", "decoder": "dense", "channels": [64, 128, 512, 1024],
    "hidden": 8, "blocks": 1, "refine": 0,
}  # fmt: skip
SAE_SIZES = {"objective": "topk", "features": 6, "latent_dim": 4, "k": 2}


def vae_in(folder: Path) -> VAE:
    vae = VAE(VAEConfig(**VAE_SIZES, steps=7, workers=3))
    vae.save_pretrained(folder)
    return vae


def sae_in(folder: Path) -> SparseAutoencoder:
    sae = SparseAutoencoder(SAEConfig(**SAE_SIZES, lr=0.5))
    sae.save_pretrained(folder)
    return sae


def rewrite(folder: Path, config: Any) -> None:
    (folder / "config.json").write_text(json.dumps(config))


def read(folder: Path) -> Any:
    return json.loads((folder / "config.json").read_text())


def test_only_what_defines_the_model_is_written(tmp_path: Path) -> None:
    vae_in(tmp_path / "vae")
    sae_in(tmp_path / "sae")
    assert read(tmp_path / "vae") == VAE_SIZES
    assert read(tmp_path / "sae") == SAE_SIZES
    assert vars(VAE.from_pretrained(tmp_path / "vae").config) == VAE_SIZES
    assert vars(SparseAutoencoder.from_pretrained(tmp_path / "sae").config) == SAE_SIZES


def test_full_configurations_of_older_models_load_without_a_word(tmp_path: Path) -> None:
    vae, sae = vae_in(tmp_path / "vae"), sae_in(tmp_path / "sae")
    rewrite(tmp_path / "vae", asdict(VAEConfig(**VAE_SIZES)))
    rewrite(tmp_path / "sae", asdict(SAEConfig(**SAE_SIZES)))
    pictures, latents = torch.rand(2, 3, 16, 16), torch.randn(5, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded, dictionary = VAE.from_pretrained(tmp_path / "vae"), SparseAutoencoder.from_pretrained(tmp_path / "sae")
    assert torch.equal(loaded.encode(pictures).mean, vae.eval().encode(pictures).mean)
    assert torch.equal(dictionary(latents)[1], sae(latents)[1])


def test_unknown_keys_warn_and_load(tmp_path: Path) -> None:
    vae_in(tmp_path)
    rewrite(tmp_path, read(tmp_path) | {"max_retries": 3, "attention": "none"})
    with pytest.warns(UserWarning, match=r"config\.json: attention, max_retries"):
        assert VAE.from_pretrained(tmp_path).config.hidden == 8


def test_missing_keys_take_their_default(tmp_path: Path) -> None:
    sae_in(tmp_path)
    rewrite(tmp_path, {key: value for key, value in read(tmp_path).items() if key != "k"} | {"features": 30})
    with pytest.raises(ValueError, match=r"model\.safetensors"):  # the weights are of 6 features
        SparseAutoencoder.from_pretrained(tmp_path)
    rewrite(tmp_path, {"latent_dim": 4, "features": 6})
    assert SparseAutoencoder.from_pretrained(tmp_path).config.objective == "l1"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden": "wide"}, r"config\.json: hidden"),
        ({"hidden": "8"}, r"config\.json: hidden"),
        ({"channels": 64}, r"config\.json: channels"),
        ({"encoder": "transformer"}, r"config\.json: encoder.*'conv'"),
        ({"image_size": 0}, r"config\.json: .*image_size"),
    ],
)
def test_wrong_values_are_refused_by_name(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    from swiggle.pretrained import ModelError

    vae_in(tmp_path)
    rewrite(tmp_path, read(tmp_path) | change)
    with pytest.raises(ModelError, match=message):
        VAE.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"objective": "swish"}, r"config\.json: objective.*topk.*'swish'"),
        ({"k": 7}, r"config\.json: .*k 7.*6 features"),
        ({"features": 0}, r"config\.json: .*features"),
    ],
)
def test_an_unknown_activation_function_is_refused_by_name(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    from swiggle.pretrained import ModelError

    sae_in(tmp_path)
    rewrite(tmp_path, read(tmp_path) | change)
    with pytest.raises(ModelError, match=message):
        SparseAutoencoder.from_pretrained(tmp_path)


@pytest.mark.parametrize("text", ["[]", "{", "3"])
def test_what_is_no_configuration(tmp_path: Path, text: str) -> None:
    from swiggle.errors import SwiggleError

    vae_in(tmp_path)
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(SwiggleError, match=r"config\.json"):
        VAE.from_pretrained(tmp_path)
    with pytest.raises(SwiggleError, match=r"config\.json"):
        VAE.from_pretrained(tmp_path / "nowhere")
