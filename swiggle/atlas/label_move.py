"""Hand labels of one dictionary carried to another, where the features are the same ones.

Two features are the same if they fire on the same pictures, equally strongly (the correlation of their activations),
and, where both dictionaries are of one VAE, stand for the same direction (the cosine of their decoder rows). Each must
be the other's best partner, so no label is carried to two features and none to one that is nearer to another.
"""

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from swiggle.atlas.hand_labels import HandLabelFile, LabelError, labelled_dictionaries
from swiggle.manifest import dictionary_id

log = logging.getLogger(__name__)
KEPT = "labelled"
AGREE = 0.7
"""Correlation, and cosine, from which two features are the same one. Lower carries more labels, and more of them to
features that are only akin: two seeds of one `quick` dictionary share most of theirs above it (docs/atlas.md)."""


@dataclass(frozen=True)
class Move:
    """`carried`: old feature to new feature and label. `left`: old feature to why its label was not carried."""

    carried: dict[int, tuple[int, str]] = field(default_factory=dict)
    left: dict[int, str] = field(default_factory=dict)


def correlation(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Pearson's correlation [a, b] of the columns of activations [N, a] and [N, b]; 0 for one that never changes."""
    one, other = (part.astype(np.float64) - part.mean(axis=0, dtype=np.float64) for part in (old, new))
    scale = np.outer(np.linalg.norm(one, axis=0), np.linalg.norm(other, axis=0))
    return np.divide(one.T @ other, scale, out=np.zeros_like(scale), where=scale > 0)


def plan_move(
    labels: Mapping[int, str],
    activations: tuple[np.ndarray, np.ndarray],
    rows: tuple[np.ndarray, np.ndarray] | None,
    taken: Mapping[int, str],
) -> Move:
    """What becomes of the old labels by feature.

    activations: of the same pictures by the old and the new dictionary, [N, features] each; rows: their decoder rows
    [features, latent_dim] of unit norm, None where they are of two VAEs; taken: labels that the new one has already.
    """
    move, listed = Move(), sorted(labels)
    old, new = activations
    agreement = correlation(old[:, listed], new)
    if rows is not None:
        agreement = np.minimum(agreement, rows[0][listed] @ rows[1].T)
    partner = agreement.argmax(axis=1)
    back = correlation(old, new[:, partner])
    if rows is not None:
        back = np.minimum(back, rows[0] @ rows[1][partner].T)
    nearest = back.argmax(axis=0)
    for number, feature in enumerate(listed):
        to, how_well, text = int(partner[number]), float(agreement[number, partner[number]]), labels[feature]
        if not old[:, feature].any():
            move.left[feature] = "it fires on none of the pictures"
        elif how_well < AGREE:
            move.left[feature] = f"no feature is like it; the nearest, {to}, agrees by {how_well:.2f} of {AGREE}"
        elif nearest[number] != feature:
            move.left[feature] = f"{to} is nearer to feature {nearest[number]} than to it"
        elif taken.get(to, text) != text:
            move.left[feature] = f"{to} is labelled {taken[to]!r} already"
        else:
            move.carried[feature] = (to, text)
    return move


def keep_labelled(run: Path) -> None:
    """Before a run's models are replaced: keep those that hand labels belong to, as `<run>/labelled/<dictionary>`."""
    if not (run / "sae").is_dir() or not (run / "vae").is_dir():
        return
    identity = dictionary_id(run)
    file = HandLabelFile(run, identity)
    if not file.read().labels:
        return
    file.change({})  # labels of a file that names no dictionary get the name of this one while it is here
    kept = run / KEPT / identity
    if kept.exists():
        return
    partial = kept.with_name(f".{identity}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    for part in ("vae", "sae"):
        shutil.copytree(run / part, partial / part)
    partial.rename(kept)
    log.warning("%s keeps the dictionary that hand labels belong to; move them with jobs.labels", kept)


@dataclass(frozen=True)
class Labelled:
    """A dictionary that has hand labels, and the folder with its models; None where they are gone."""

    dictionary: str
    folder: Path | None
    labels: dict[int, str]


def labelled_at(location: Path, other_than: str) -> list[Labelled]:
    """The dictionaries that hand labels at `location`, a run or a bundle, belong to, but for one: its own first, then
    those that its run kept. Raises `LabelError` where there are none, or their file is damaged."""
    folders: dict[str, Path] = {}
    for folder in (location, *sorted((location / KEPT).glob("*"))):
        if (folder / "sae").is_dir():
            folders.setdefault(dictionary_id(folder), folder)
    own = [name for name, folder in folders.items() if folder == location]  # a file that names none may be of this one
    listed = labelled_dictionaries(location) if location.is_dir() else []
    found = []
    for name in dict.fromkeys([*own, *listed]):
        if name != other_than and (labels := HandLabelFile(location, name).read().labels):
            found.append(Labelled(name, folders.get(name), labels))
    if not found:
        raise LabelError(f"{location}: there are no hand labels of another dictionary to move")
    return found
