"""Models on disk: a folder with `config.json` and `model.safetensors`. No pickle.

`config.json` holds an *architecture*: what defines the model, not how or where it was trained. So what a later release
adds to training, or takes from it, makes no model unreadable.
"""

import json
import warnings
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import safetensors
from pydantic import TypeAdapter, ValidationError
from safetensors.torch import load_file, save_file
from torch import nn

from swiggle.errors import SwiggleError, problems

CONFIG = "config.json"
WEIGHTS = "model.safetensors"

Model = TypeVar("Model", bound=nn.Module)


class ModelError(SwiggleError, ValueError):
    """A model that cannot be built or read; the message names the file or field at fault."""


def save_pretrained(model: nn.Module, architecture: type, config: Any, folder: Path) -> None:
    """Write a module's architecture, the fields of a dataclass `architecture` that `config` has too, and weights."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = {field.name: getattr(config, field.name) for field in fields(architecture)}
    (folder / CONFIG).write_text(json.dumps(kept, indent=1) + "\n")
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, folder / WEIGHTS)


def load_pretrained(cls: type[Model], architecture: type, training: type, folder: Path) -> Model:
    """Build `cls(architecture(...))` and load its weights.

    Keys that are missing take their default. Those of `training`, a dataclass, are passed over, for models were once
    saved with them; of any others a warning names file and keys. Raises `ModelError` naming a file that is missing or
    damaged, or the field whose value cannot be.
    """
    path = folder / CONFIG
    try:
        saved = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: {error}") from error
    if not isinstance(saved, dict):
        raise ModelError(f"{path}: expected an object of settings, not {type(saved).__name__}")
    own, trained = ({field.name for field in fields(config)} for config in (architecture, training))
    if unknown := sorted(saved.keys() - own - trained):
        warnings.warn(f"{path}: {', '.join(unknown)} are settings of another release and not used", stacklevel=3)
    try:
        known = json.dumps({key: value for key, value in saved.items() if key in own})
        config: Any = TypeAdapter(architecture).validate_json(known, strict=True)
        model = cls(config)
    except ValidationError as error:
        raise ModelError(f"{path}: {problems(error)}") from error
    except SwiggleError as error:
        raise ModelError(f"{path}: {error}") from error
    try:
        model.load_state_dict(load_file(folder / WEIGHTS))
    except (OSError, safetensors.SafetensorError, RuntimeError) as error:
        raise ModelError(f"{folder / WEIGHTS}: {error}") from error
    return model
