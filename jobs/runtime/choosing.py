"""Settings that a preset leaves to the data: chosen once, kept with the run, the same for every command with it.

`<run>/chosen.json` holds the survey, what was chosen from it, and what was surveyed. A command that reads the source
(`prepare_data`, `pipeline`) chooses anew when that has changed; all others take what is there. What the command line
or its file sets goes before what was chosen.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from swiggle.chosen_settings import MOST, choose, said
from swiggle.composition import composition_of
from swiggle.config import RunConfig
from swiggle.data.source_digest import source_digest
from swiggle.data.sources import raw_pictures
from swiggle.data.survey import SAMPLE, Survey, survey, survey_of_drawn
from swiggle.errors import ConfigError
from swiggle.overrides import load_config
from swiggle.storage import absolute, join, read_json, write_json

CHOOSING = ("quick",)
"""Presets that leave settings to the data; the others say all of them."""


def settled(words: Sequence[str], reads_source: bool) -> tuple[RunConfig, str]:
    """The configuration that a command line describes, and in a line what was chosen for it, if that was done now.
    Raises `ConfigError`, and `SourceError` where a source cannot be read."""
    config = load_config(words)
    if config.preset not in CHOOSING:
        return config, ""
    place = join(absolute(config.run), "chosen.json")
    known = read_json(place)
    if not reads_source:
        return (_with(words, known, {"data.source": known["of"]["source"]}) if known else config), ""
    composition = composition_of(config.data.source)
    if composition is None:
        config = load_config(words, {"data.count": MOST})
    of = {**asdict(config.data), "content": None if composition else source_digest(config.data.source)}
    if known and known["of"] == of:
        return _with(words, known), ""
    data = config.data
    if composition is None:
        seen = survey(raw_pictures(data), data.count)
    elif data.count is None:
        raise ConfigError(f"data.count: the {data.source} source composes pictures and needs a number")
    else:
        drawn = composition.render(composition.draw(min(data.count, SAMPLE), data.seed))
        seen = survey_of_drawn(drawn, data.count)
    settings = choose(seen, _slots(data.source))
    made = {"of": of, "survey": asdict(seen), "settings": settings}
    write_json(place, made)
    return _with(words, made), said(seen, settings)


def _with(words: Sequence[str], known: dict[str, Any], more: dict[str, Any] | None = None) -> RunConfig:
    """The configuration with what was chosen; with a picture size of one's own what follows from it is chosen anew."""
    settings = known["settings"]
    config = load_config(words, {**settings, **(more or {})})
    if config.vae.image_size != settings["vae.image_size"]:
        again = choose(Survey(**known["survey"]), _slots(known["of"]["source"]), config.vae.image_size)
        config = load_config(words, {**again, **(more or {})})
    return config


def _slots(source: str) -> int:
    """How many slots a composed set has; 0 of an imported one."""
    composition = composition_of(source)
    return len(composition.slots) if composition else 0
