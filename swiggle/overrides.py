"""From command-line words to a validated `RunConfig`.

    preset=quick run=runs/demo config=mine.yaml vae.steps=100 vae.channels=[16,32,64,64]

Order of precedence: preset, then what was chosen from the data (`swiggle/chosen_settings.py`), then the YAML file named
by `config=`, then `key=value` words. Values are YAML; null for something that is chosen asks for the choice. An
unknown key or a value of the wrong type is a `ConfigError` that names the key, and the nearest valid one. A key that
was renamed is accepted, with a warning that names the present one.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import reduce
from operator import getitem
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from swiggle.chosen_settings import CHOSEN
from swiggle.config import RunConfig
from swiggle.errors import ConfigError, did_you_mean, problems
from swiggle.presets import PRESETS

log = logging.getLogger(__name__)

RENAMED = {"atlas.footprint_examples": "atlas.ablations"}
"""Dotted keys of earlier releases, and what they are called now."""


def load_config(words: Sequence[str], chosen: Mapping[str, Any] = MappingProxyType({})) -> RunConfig:
    """Build the configuration that `words` describe; `chosen` holds values by dotted key, which count where neither
    they nor their file say anything else. Raises `ConfigError`."""
    given: dict[str, Any] = {}
    for word in words:
        key, separator, text = word.partition("=")
        if not separator or not key:
            raise ConfigError(f"expected key=value, got {word!r}")
        try:
            given[key] = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"{key}: {text!r} is not a YAML value ({error})") from error
    file = _read_yaml(Path(str(given.pop("config")))) if "config" in given else {}
    settings = dict([*_leaves(file), *_leaves(given)])
    open_keys = {key for key in CHOSEN if settings.get(key, "") is None}
    settings = {**chosen, **{key: value for key, value in settings.items() if key not in open_keys}}

    preset = settings.get("preset", "quick")
    if preset not in PRESETS:
        raise ConfigError(f"preset: {preset!r} is not one of {', '.join(PRESETS)}{did_you_mean(str(preset), PRESETS)}")
    base = asdict(PRESETS[preset]())
    valid = known_keys()
    for key, value in settings.items():
        if any(other.startswith(f"{key}.") for other in valid):
            raise ConfigError(f"{key} is a section; set one of its keys")
        if key not in valid:
            raise ConfigError(f"unknown key {key}{did_you_mean(key, valid)}")
        *parents, leaf = key.split(".")
        reduce(getitem, parents, base)[leaf] = value
    try:
        return TypeAdapter(RunConfig).validate_python(base)
    except ValidationError as error:
        raise ConfigError(problems(error)) from error


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        tree = yaml.safe_load(path.read_text()) or {}
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"config: {path}: {error}") from error
    if not isinstance(tree, dict):
        raise ConfigError(f"config: {path} must hold a mapping, not {type(tree).__name__}")
    return tree


def _leaves(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys, by their present names, and their values."""
    for name, value in tree.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict):
            yield from _leaves(value, f"{key}.")
            continue
        if key in RENAMED:
            log.warning("%s is called %s now", key, RENAMED[key])
        yield RENAMED.get(key, key), value


def known_keys() -> list[str]:
    """Every key that can be set, dotted, in the order of the dataclasses."""
    return [key for key, _ in _leaves(asdict(RunConfig()))]
