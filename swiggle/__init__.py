"""Swiggle: sparse-autoencoder features of pictures, interpreted, browsed and edited."""

import importlib
from typing import Any

__version__ = "0.1.0"
__all__ = ["Bundle", "BundleError", "EditPlan", "Operation"]

_HOMES = {
    "Bundle": "swiggle.bundle",
    "BundleError": "swiggle.manifest",
    "EditPlan": "swiggle.editing.plan",
    "Operation": "swiggle.editing.plan",
}


def __getattr__(name: str) -> Any:
    # Imported at first use: a worker that needs a config or a model should not load Chroma and a text encoder.
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'swiggle' has no attribute {name!r}")
