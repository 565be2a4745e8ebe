"""What a source of pictures holds, as a short hash, so that a change of it is noticed before anything is read."""

import hashlib
import os
from pathlib import Path

from httpx import HTTPError
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

from swiggle.data.file_tree import files_below

HUB = "hf://"
_HUB_SECONDS = 10.0
"""How long the hub is waited for; a run does not stand still because the hub does."""


def source_digest(source: str) -> str | None:
    """A hash of the name, size and time of every file below a folder, captions beside pictures among them and hidden
    ones not, or of one file; for `hf://owner/name` the revision that the hub names. Links are followed.

    None where nothing can be said: there is no such file, or the hub does not answer.
    """
    if source.startswith(HUB):
        return _hub_revision(source.removeprefix(HUB))
    path = Path(source).expanduser()
    if not path.exists():
        return None
    listed = hashlib.sha256()
    for file in [path] if path.is_file() else files_below(path)[0]:
        seen = file.stat()
        name = os.fsencode(file.relative_to(path))  # bytes: not every name is UTF-8
        listed.update(b"%s\0%d\0%d\0" % (name, seen.st_size, seen.st_mtime_ns))
    return listed.hexdigest()


def _hub_revision(name: str) -> str | None:
    try:
        return HfApi().dataset_info(name, timeout=_HUB_SECONDS).sha
    except (HfHubHTTPError, OfflineModeIsEnabled, HTTPError, OSError):  # what is wrong is said when it is read
        return None
