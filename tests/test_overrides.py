from pathlib import Path

import pytest

from swiggle.config import RunConfig
from swiggle.overrides import ConfigError, known_keys, load_config
from swiggle.presets import PRESETS


def test_precedence_is_preset_then_file_then_words(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("preset: smoke\nvae: {steps: 7, hidden: 99}\nrun: from-file\n")
    config = load_config([f"config={file}", "vae.steps=11", "sweep.l1=[1, 2]"])
    assert (config.preset, config.run, config.vae.hidden, config.vae.steps) == ("smoke", "from-file", 99, 11)
    assert config.sweep.l1 == [1.0, 2.0]
    assert config.vae.batch_size == PRESETS["smoke"]().vae.batch_size


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_valid_and_names_itself(preset: str) -> None:
    assert load_config([f"preset={preset}"]) == PRESETS[preset]()
    assert PRESETS[preset]().preset == preset


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("vae.stepz=3", "did you mean vae.steps?"),
        ("steps=3", "did you mean vae.steps?"),
        ("preset=quik", "did you mean quick?"),
        ("vae.steps=many", "vae.steps"),
        ("vae=3", "vae is a section"),
        ("vae.steps", "expected key=value"),
        ("vae.encoder=transformer", "vae.encoder"),
        ("config=/no/such.yaml", "/no/such.yaml"),
        ("vae.steps.more=1", "vae.steps"),
        ("vae.channels=[1", "not a YAML value"),
    ],
)
def test_a_bad_word_is_named(word: str, expected: str) -> None:
    with pytest.raises(ConfigError) as failure:
        load_config([word])
    assert expected in str(failure.value)


def test_paper_preset_is_the_faithful_model() -> None:
    vae = load_config(["preset=paper"]).vae
    assert (vae.image_size, vae.latent_channels, vae.channels) == (128, 4, [64, 128, 512, 1024])
    assert (vae.encoder, vae.decoder, vae.lr, vae.steps) == ("conv", "conv", 1e-3, 2_000_000)
    assert (vae.kl_weight, vae.kl_free_steps, vae.kl_warmup_steps, vae.lr_decay) == (1e-6, 1_000, 10_000, "constant")


def test_known_keys_cover_the_tree() -> None:
    assert {"run", "vae.steps", "sae.l1", "sweep.max_fvu", "atlas.vocabulary"} <= set(known_keys())
    assert len(known_keys()) == len(set(known_keys()))
    assert RunConfig() == RunConfig()
