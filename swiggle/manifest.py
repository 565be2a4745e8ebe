"""bundle.json: what a bundle is made of, so that a damaged or foreign one is refused with the file named."""

import hashlib
import json
from pathlib import Path
from typing import Any

from swiggle.data.grounds import check_ground
from swiggle.errors import SwiggleError

NAME = "bundle.json"
VERSION = 4
DICTIONARY = "sae/model.safetensors"
DICTIONARY_DIGITS = 16
PARTS = ("vae", "sae", "atlas", "index/labels.parquet")
"""What a manifest covers. Hand labels and Chroma's own files change while a bundle is in use and are left out."""


class BundleError(SwiggleError, ValueError):
    """A folder that is no usable bundle; the message names the file at fault."""


def dictionary_id(folder: Path) -> str:
    """The id of the dictionary in a run or a bundle, from its weights."""
    return hash_file(folder / DICTIONARY)[:DICTIONARY_DIGITS]


def dictionary_of(manifest: dict[str, Any]) -> str:
    """The id of a bundle's dictionary, 16 hexadecimal digits: what is said of feature 7 is said of feature 7 of it."""
    return str(manifest["files"][DICTIONARY])[:DICTIONARY_DIGITS]


def ground_of(manifest: dict[str, Any]) -> str:
    """What a bundle's transparent pictures were laid on (`data.ground`); white in one that is older than the setting.
    Raises `ConfigError` where it is no ground."""
    return check_ground(manifest.get("config", {}).get("prepare_data", {}).get("data", {}).get("ground", "white"))


def hash_file(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def covered_files(folder: Path) -> list[Path]:
    """Every file that belongs to the bundle, sorted."""
    found: list[Path] = []
    for part in PARTS:
        path = folder / part
        found += [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
    return sorted(found)


def make_manifest(folder: Path, config: dict[str, Any], metrics: dict[str, Any]) -> dict[str, Any]:
    """The manifest of a folder: configuration and metrics of each stage, and the hash of each file."""
    hashes = {str(path.relative_to(folder)): hash_file(path) for path in covered_files(folder)}
    return {"version": VERSION, "config": config, "metrics": metrics, "files": hashes}


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read and verify. Raises `BundleError` naming the file that is missing, changed or of another version."""
    path = folder / NAME
    try:
        manifest = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BundleError(f"{path}: not a readable bundle manifest ({error})") from error
    version = manifest.get("version") if isinstance(manifest, dict) else None
    if version != VERSION:
        newer = isinstance(version, int) and version > VERSION
        advice = (
            "it was made by a newer release: update this one"
            if newer
            else "run `python -m jobs.seal_bundle` on its run, or `python -m jobs.pipeline` where a stage has changed"
        )
        raise BundleError(f"{path}: schema version {version!r}, this release reads {VERSION}; {advice}")
    if not isinstance(manifest.get("files"), dict):
        raise BundleError(f"{path}: not a readable bundle manifest (files: must name them)")
    for name, expected in manifest["files"].items():
        file = folder / name
        if not file.is_file():
            raise BundleError(f"{file}: missing from the bundle")
        if hash_file(file) != expected:
            raise BundleError(f"{file}: content does not match the manifest")
    return manifest
