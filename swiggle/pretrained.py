"""Models on disk: a folder with `config.json` and `model.safetensors`. No pickle."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import safetensors
from pydantic import TypeAdapter, ValidationError
from safetensors.torch import load_file, save_file
from torch import nn

CONFIG = "config.json"
WEIGHTS = "model.safetensors"

Model = TypeVar("Model", bound=nn.Module)


def save_pretrained(model: nn.Module, config: Any, folder: Path) -> None:
    """Write a module's configuration (a dataclass) and weights."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIG).write_text(json.dumps(asdict(config), indent=1) + "\n")
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, folder / WEIGHTS)


def load_pretrained(cls: type[Model], config_type: type, folder: Path) -> Model:
    """Build `cls(config)` and load its weights. Raises ValueError naming a missing or damaged file."""
    try:
        config: Any = TypeAdapter(config_type).validate_json((folder / CONFIG).read_bytes())
    except (OSError, ValidationError) as error:
        raise ValueError(f"{folder / CONFIG}: {error}") from error
    model = cls(config)
    try:
        model.load_state_dict(load_file(folder / WEIGHTS))
    except (OSError, safetensors.SafetensorError, RuntimeError) as error:
        raise ValueError(f"{folder / WEIGHTS}: {error}") from error
    return model
