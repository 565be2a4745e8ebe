"""From command-line words to a validated `RunConfig`.

    preset=quick run=runs/demo config=mine.yaml vae.steps=100 vae.channels=[16,32,64,64]

Order of precedence: preset, then the YAML file named by `config=`, then `key=value` words. Values are YAML. An
unknown key or a value of the wrong type is a `ConfigError` that names the key, and the nearest valid one.
"""

import difflib
from collections.abc import Sequence
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from swiggle.config import RunConfig
from swiggle.errors import ConfigError
from swiggle.presets import PRESETS


def load_config(words: Sequence[str]) -> RunConfig:
    """Build the configuration that `words` describe. Raises `ConfigError`."""
    overrides: dict[str, Any] = {}
    for word in words:
        key, separator, text = word.partition("=")
        if not separator or not key:
            raise ConfigError(f"expected key=value, got {word!r}")
        try:
            overrides[key] = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"{key}: {text!r} is not a YAML value ({error})") from error
    tree = _read_yaml(Path(str(overrides.pop("config")))) if "config" in overrides else {}
    for key, value in overrides.items():
        _place(tree, key, value)

    preset = tree.get("preset", "quick")
    if preset not in PRESETS:
        raise ConfigError(f"preset: {preset!r} is not one of {', '.join(PRESETS)}{_nearest(str(preset), PRESETS)}")
    base = asdict(PRESETS[preset]())
    _merge(base, tree, "")
    try:
        return TypeAdapter(RunConfig).validate_python(base)
    except ValidationError as error:
        problems = [f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors()]
        raise ConfigError("; ".join(problems)) from error


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        tree = yaml.safe_load(path.read_text()) or {}
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"config: {path}: {error}") from error
    if not isinstance(tree, dict):
        raise ConfigError(f"config: {path} must hold a mapping, not {type(tree).__name__}")
    return tree


def _place(tree: dict[str, Any], dotted: str, value: Any) -> None:
    *parents, leaf = dotted.split(".")
    for parent in parents:
        tree = tree.setdefault(parent, {})
        if not isinstance(tree, dict):
            raise ConfigError(f"{dotted}: {parent} is a value, not a section")
    tree[leaf] = value


def _merge(base: dict[str, Any], tree: dict[str, Any], prefix: str) -> None:
    for key, value in tree.items():
        if key not in base:
            raise ConfigError(f"unknown key {prefix}{key}{_nearest(f'{prefix}{key}', known_keys())}")
        if isinstance(base[key], dict):
            if not isinstance(value, dict):
                raise ConfigError(f"{prefix}{key} is a section; set one of its keys")
            _merge(base[key], value, f"{prefix}{key}.")
        else:
            base[key] = value


def known_keys() -> list[str]:
    """Every key that can be set, dotted, in the order of the dataclasses."""

    def walk(section: Any, prefix: str) -> list[str]:
        keys = []
        for item in fields(section):
            value = getattr(section, item.name)
            keys += walk(value, f"{prefix}{item.name}.") if is_dataclass(value) else [f"{prefix}{item.name}"]
        return keys

    return walk(RunConfig(), "")


def _nearest(key: str, valid: Sequence[str] | dict[str, Any]) -> str:
    leaf = key.rpartition(".")[2]
    candidates = list(valid)
    found = difflib.get_close_matches(key, candidates, n=1, cutoff=0.6)
    found = found or [c for c in candidates if c.rpartition(".")[2] == leaf][:1]
    return f"; did you mean {found[0]}?" if found else ""
