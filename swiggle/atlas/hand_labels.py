"""Labels written by hand. They override the automatic ones and live beside the bundle's sealed files.

    hand_labels.8b1f....json
    {"version": 1, "dictionary": "8b1f...", "revision": 7, "labels": {"3": {"label": "pirate ship", "revision": 7}}}

There is a file for each dictionary that was labelled, named by its id: features of another one mean something else.
`revision` counts the changes; each label has the revision that it was written at, so that two people who label
different features do not get into each other's way. A label that was taken back stays as null, with its revision. Any
number of processes may write: each takes the lock, reads, changes and replaces the file in one step.
"""

import json
import logging
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from swiggle.captions.tokens import composed
from swiggle.errors import SwiggleError

log = logging.getLogger(__name__)
NAMELESS = "hand_labels.json"
"""The file of before files were named by their dictionary, feature to label. It is taken to be of the one beside it."""
_NAMED = re.compile(r"hand_labels\.([0-9a-f]+)\.json")
MAX_LENGTH = 200
VERSION = 1
_PARTIAL = ".partial"
_LOCK_SECONDS = 20.0
"""How long a writer waits for the others; one change takes milliseconds."""


class LabelError(SwiggleError, ValueError):
    """Labels that cannot be read, written or applied; the message names the file."""


class LabelsReadOnly(LabelError):
    """The folder of the labels cannot be written to."""


class LabelConflict(SwiggleError):
    """Somebody else changed labels since they were read. `labels`: what they are now, None where there is none."""

    def __init__(self, labels: dict[int, str | None]) -> None:
        self.labels = labels
        now = {i: "has no label now" if text is None else f"is now {text!r}" for i, text in labels.items()}
        said = ", ".join(f"feature {i} {state}" for i, state in now.items())
        super().__init__(f"somebody else changed this meanwhile: {said}")


@dataclass(frozen=True)
class Written:
    """A label, or None where it was taken back, and the revision at which that was done."""

    label: str | None
    revision: int


@dataclass(frozen=True)
class HandLabels:
    """What the file of a bundle says at one moment."""

    revision: int = 0
    written: Mapping[int, Written] = field(default_factory=dict)

    @property
    def labels(self) -> dict[int, str]:
        """The labels by feature."""
        return {feature: one.label for feature, one in sorted(self.written.items()) if one.label is not None}

    def changed(self, changes: Mapping[int, str | None], seen: int | None = None) -> "HandLabels":
        """With labels set, or taken back where they are None. `seen`: the revision that whoever changes them had read;
        raises `LabelConflict` if one of these features was changed to something else since. A revision that is not
        there yet was read from a file that is gone, so nothing is known of what was seen."""
        wanted = {f: text and composed(text) for f, text in changes.items()}
        new = {f: text for f, text in wanted.items() if self._label(f) != text}
        if seen is not None:
            newer = {
                f: self._label(f)
                for f in new
                if f in self.written and not self.written[f].revision <= seen <= self.revision
            }
            if newer:
                raise LabelConflict(newer)
        if not new:
            return self
        revision = self.revision + 1
        return HandLabels(revision, {**self.written, **{f: Written(text, revision) for f, text in new.items()}})

    def _label(self, feature: int) -> str | None:
        return self.written[feature].label if feature in self.written else None


def labelled_dictionaries(folder: Path) -> list[str]:
    """The ids of the dictionaries of which there are hand labels in a folder; a file that names none does not count."""
    return sorted(found[1] for path in folder.iterdir() if (found := _NAMED.fullmatch(path.name)))


class HandLabelFile:
    """The hand labels of a bundle's folder, for one dictionary, named by its id (`swiggle.manifest.dictionary_id`)."""

    def __init__(self, folder: Path, dictionary: str) -> None:
        self.path = folder / f"hand_labels.{dictionary}.json"
        self.dictionary = dictionary
        self._nameless = folder / NAMELESS

    def state(self) -> tuple[int, ...] | None:
        """What tells one content of the file from another without reading it; None where there is no file."""
        for path in (self.path, self._nameless):
            try:
                seen = path.stat()
            except FileNotFoundError:
                continue
            return seen.st_mtime_ns, seen.st_size, seen.st_ino
        return None

    def read(self) -> HandLabels:
        """The labels; those of a file without a dictionary where this one has none of its own, and none where there is
        neither. Raises `LabelError` naming a damaged file."""
        document = _document(self.path)
        if document is None:
            return self._read_nameless()
        try:
            if document["dictionary"] != self.dictionary:
                raise ValueError(f"labels of dictionary {document['dictionary']}")
            written = {
                int(i): Written(_text(one["label"]), int(one["revision"])) for i, one in document["labels"].items()
            }
            return HandLabels(int(document["revision"]), written)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise LabelError(f"{self.path}: not a file of hand labels ({error!r})") from error

    def _read_nameless(self) -> HandLabels:
        document = _document(self._nameless)
        if document is None:
            return HandLabels()
        log.warning("%s names no dictionary and is taken to be of this bundle's", self._nameless)
        try:
            return HandLabels(0, {int(i): Written(_text(label), 0) for i, label in document.items()})
        except (ValueError, TypeError) as error:
            raise LabelError(f"{self._nameless}: not a file of hand labels ({error!r})") from error

    def change(self, changes: Mapping[int, str | None], seen: int | None = None) -> HandLabels:
        """Set labels, or take back those that are None, as `HandLabels.changed` does; returns what there is then. What
        a file without a dictionary holds becomes this dictionary's.

        Raises `LabelConflict`, `LabelsReadOnly` where the folder cannot be written to, and `LabelError` for a damaged
        file or where other writers do not let go of the lock.
        """
        try:
            with FileLock(self.path.with_name(".hand_labels.lock"), timeout=_LOCK_SECONDS):
                for left_by_a_kill in self.path.parent.glob(f".hand_labels.*{_PARTIAL}"):
                    left_by_a_kill.unlink(missing_ok=True)
                taken_over = self._nameless.exists() and not self.path.exists()
                before = self.read()
                after = before.changed(changes, seen)
                if after is not before or taken_over:
                    self._write(after)
                if taken_over:
                    self._nameless.unlink()
                return after
        except Timeout as error:
            raise LabelError(f"{self.path}: others have been writing for {_LOCK_SECONDS:.0f} s; try again") from error
        except OSError as error:
            raise LabelsReadOnly(f"{self.path}: hand labels cannot be written ({error})") from error

    def _write(self, labels: HandLabels) -> None:
        """Replace the file in one step: a reader, or a crash, finds the old one or the new one, whole."""
        rows = {str(i): {"label": w.label, "revision": w.revision} for i, w in sorted(labels.written.items())}
        document = {"version": VERSION, "dictionary": self.dictionary, "revision": labels.revision, "labels": rows}
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=self.path.parent, prefix=".hand_labels.", suffix=_PARTIAL, delete=False
        ) as partial:
            try:
                partial.write(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
                partial.flush()
                os.fsync(partial.fileno())
                os.chmod(partial.name, 0o644)
                os.replace(partial.name, self.path)
            except BaseException:
                Path(partial.name).unlink(missing_ok=True)
                raise


def _document(path: Path) -> dict[str, Any] | None:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise LabelError(f"{path}: {error}") from error
    if not isinstance(document, dict):
        raise LabelError(f"{path}: not a file of hand labels")
    return document


def _text(label: Any) -> str | None:
    if label is not None and not isinstance(label, str):
        raise TypeError(f"{label!r} is no label")
    return label
