from dataclasses import replace

import pytest
import torch

from swiggle.chosen_settings import CHOSEN, IN_MEMORY, MOST, choose, said
from swiggle.composition import composition_of
from swiggle.data.survey import Survey, survey_of_drawn
from swiggle.models.vae import VAE
from swiggle.overrides import known_keys, load_config
from swiggle.training.pca_start import hold, latent_dim

EMOJI = Survey(count=3_786, side=64, colours=443, transparent=1.0, looks=509, registered=False)


def test_what_is_chosen_for_the_demo_is_the_preset_as_it_stands() -> None:
    composition = composition_of("nouns")
    survey = survey_of_drawn(composition.render(composition.draw(512, 0)), 50_000)
    assert load_config([], choose(survey, slots=5)) == load_config([])
    assert choose(survey, slots=10)["sweep.max_l0"] == 2 * load_config([]).sweep.max_l0  # avatars


def test_every_chosen_key_can_be_set() -> None:
    assert set(CHOSEN) <= set(known_keys())
    assert set(choose(EMOJI)) == set(CHOSEN)


def test_few_drawings_begin_as_components_and_stop_in_time() -> None:
    vae = load_config([], choose(EMOJI)).vae
    assert (vae.image_size, vae.start, vae.augment, vae.input) == (32, "pca", ["mirror"], "memory")
    assert vae.patience
    assert vae.refine


def test_sprites_keep_their_places_and_their_size() -> None:
    sprites = replace(EMOJI, side=24, colours=9, registered=True, count=2_000)
    chosen = choose(sprites)
    assert (chosen["vae.image_size"], chosen["vae.augment"]) == (24, [])
    assert chosen["sae.whitening"] == load_config([]).sae.whitening
    assert choose(replace(sprites, side=10))["vae.image_size"] == 20
    many = choose(replace(sprites, count=50_000))
    assert (many["vae.start"], many["vae.colour_weight"]) == ("random", load_config([]).vae.colour_weight)


@pytest.mark.parametrize("count", [1, 2, 12, 60, 3_786, 20_000, 200_000])
@pytest.mark.parametrize("side", [1, 16, 20, 64, 256, 1_000])
@pytest.mark.parametrize("size", [None, 16, 100, 128, 256])
def test_whatever_is_chosen_can_be_trained(count: int, side: int, size: int | None) -> None:
    chosen = choose(replace(EMOJI, count=count, side=side), image_size=size)
    config = load_config([], chosen)
    with torch.device("meta"):
        vae = VAE(config.vae)
    if config.vae.start == "pca":
        latent_dim(config.vae)
    if config.vae.learn == "refinement":
        hold(vae)
    train = count * 8 // 10 * 3 * config.vae.image_size**2
    assert config.vae.input == "memory" or train > 0.9 * IN_MEMORY
    assert config.data.count == MOST
    assert 64 <= config.sae.features <= 2_048
    assert f"{count:,} pictures" in said(replace(EMOJI, count=count), chosen)


def test_words_go_before_what_was_chosen_and_null_asks_for_it() -> None:
    chosen = choose(EMOJI)
    config = load_config(["vae.steps=7", "vae.patience=null", "vae.start=random"], chosen)
    assert (config.vae.steps, config.vae.start) == (7, "random")
    assert config.vae.patience == chosen["vae.patience"]
    assert load_config(["vae.start=null"]).vae.start == "random"
