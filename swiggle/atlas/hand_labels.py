"""Labels written by hand. They override the automatic ones and live beside the bundle's sealed files.

    {"version": 1, "dictionary": "8b1f...", "revision": 7, "labels": {"3": {"label": "pirate ship", "revision": 7}}}

The file names the dictionary whose features it labels: those of another one mean something else. `revision` counts the
changes; each label has the revision that it was written at, so that two people who label different features do not
get into each other's way. A label that was taken back stays as null, with its revision. Any number of processes may
write: each takes the lock, reads, changes and replaces the file in one step.
"""

import json
import logging
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock

from swiggle.errors import SwiggleError
from swiggle.words import composed

log = logging.getLogger(__name__)
NAME = "hand_labels.json"
MAX_LENGTH = 200
VERSION = 1
_LOCK_SECONDS = 20.0
"""How long a writer waits for the others; one change takes milliseconds."""


class LabelError(SwiggleError, ValueError):
    """Labels that cannot be read, written or applied; the message names the file."""


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
        raises `LabelConflict` if one of these features was changed to something else since."""
        wanted = {f: text and composed(text) for f, text in changes.items()}
        new = {f: text for f, text in wanted.items() if self._label(f) != text}
        if seen is not None:
            newer = {f: self._label(f) for f in new if f in self.written and self.written[f].revision > seen}
            if newer:
                raise LabelConflict(newer)
        if not new:
            return self
        revision = self.revision + 1
        return HandLabels(revision, {**self.written, **{f: Written(text, revision) for f, text in new.items()}})

    def _label(self, feature: int) -> str | None:
        return self.written[feature].label if feature in self.written else None


class HandLabelFile:
    """The hand labels of a bundle's folder, for one dictionary, named by its id (`swiggle.manifest.dictionary_id`)."""

    def __init__(self, folder: Path, dictionary: str) -> None:
        self.path = folder / NAME
        self.dictionary = dictionary

    def state(self) -> tuple[int, ...] | None:
        """What tells one content of the file from another without reading it; None where there is no file."""
        try:
            seen = self.path.stat()
        except FileNotFoundError:
            return None
        return seen.st_mtime_ns, seen.st_size, seen.st_ino

    def read(self) -> HandLabels:
        """The labels; none where there is no file, or one of another dictionary, which is said. Raises `LabelError`
        naming a damaged file."""
        document = self._document()
        if document is None:
            return HandLabels()
        try:
            if "version" not in document:  # of before the file named its dictionary
                log.warning("%s names no dictionary and is taken to be of this bundle's", self.path)
                return HandLabels(0, {int(i): Written(str(label), 0) for i, label in document.items()})
            if document["dictionary"] != self.dictionary:
                log.warning("%s", self._foreign(document))
                return HandLabels()
            written = {int(i): Written(one["label"], int(one["revision"])) for i, one in document["labels"].items()}
            return HandLabels(int(document["revision"]), written)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise LabelError(f"{self.path}: {error!r}") from error

    def change(self, changes: Mapping[int, str | None], seen: int | None = None) -> HandLabels:
        """Set labels, or take back those that are None, as `HandLabels.changed` does; returns what there is then.

        Raises `LabelConflict`, and `LabelError` where the folder cannot be written to. A file of another dictionary is
        kept under another name.
        """
        try:
            with FileLock(self.path.with_name(f".{NAME}.lock"), timeout=_LOCK_SECONDS):
                before = self.read()
                after = before.changed(changes, seen)
                if after is not before:
                    self._set_aside()
                    self._write(after)
                return after
        except OSError as error:
            raise LabelError(f"{self.path}: hand labels cannot be written ({error})") from error

    def _document(self) -> dict[str, Any] | None:
        try:
            document = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise LabelError(f"{self.path}: {error}") from error
        if not isinstance(document, dict):
            raise LabelError(f"{self.path}: not a file of hand labels")
        return document

    def _foreign(self, document: dict[str, Any]) -> str:
        return (
            f"{self.path} labels features of dictionary {document['dictionary']}, and this bundle has "
            f"{self.dictionary}: they are not applied; python -m jobs.labels move carries over what agrees"
        )

    def _set_aside(self) -> None:
        document = self._document()
        if document and document.get("dictionary", self.dictionary) != self.dictionary:
            os.replace(self.path, self.path.with_name(f"hand_labels.{document['dictionary']}.json"))

    def _write(self, labels: HandLabels) -> None:
        """Replace the file in one step: a reader, or a crash, finds the old one or the new one, whole."""
        rows = {str(i): {"label": w.label, "revision": w.revision} for i, w in sorted(labels.written.items())}
        document = {"version": VERSION, "dictionary": self.dictionary, "revision": labels.revision, "labels": rows}
        with tempfile.NamedTemporaryFile("w", dir=self.path.parent, prefix=f".{NAME}.", delete=False) as partial:
            try:
                partial.write(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
                partial.flush()
                os.fsync(partial.fileno())
                os.chmod(partial.name, 0o644)
                os.replace(partial.name, self.path)
            except BaseException:
                Path(partial.name).unlink(missing_ok=True)
                raise
