"""The vocabulary of a run: the one that is named, written for the run, shipped with its set, or proposed."""

import hashlib
from typing import Any

from pyarrow.fs import FileType

from jobs.runtime.stage import say
from swiggle.captions.proposal import READ, propose
from swiggle.captions.vocabulary import AUTO, Vocabulary, is_shipped
from swiggle.config import RunConfig
from swiggle.data.reading import read_pictures
from swiggle.data.source_digest import source_digest
from swiggle.storage import filesystem_of, join, local_copy

FILE = "vocabulary.yaml"
LOOK = 8
"""Side of the pictures in which different things are told from names of one, pixels."""
_WRITTEN = "written for the run"


def vocabulary_settings(config: RunConfig) -> str:
    """What stands for the vocabulary in the settings of a stage: a name, a path, `auto`, or a hash of the run's own."""
    name = config.atlas.vocabulary
    if name != AUTO:
        return name
    if (own := written(config)) is not None:
        return f"{_WRITTEN}: {hashlib.sha256(own.encode()).hexdigest()[:16]}"
    return config.data.source if is_shipped(config.data.source) else AUTO


def vocabulary_file(settings: dict[str, Any]) -> dict[str, str | None]:
    """`Stage.reads` of the stages that read captions: the file outside the run that `vocabulary` names, if any."""
    name = settings["vocabulary"]
    if name == AUTO or name.startswith(_WRITTEN) or is_shipped(name):
        return {}
    return {f"vocabulary {name}": source_digest(name)}


def run_vocabulary(config: RunConfig, stage: str) -> Vocabulary:
    """The vocabulary to read the run's captions with; `stage` says which it is. Raises `VocabularyError`."""
    name = vocabulary_settings(config)
    if name.startswith(_WRITTEN):
        return Vocabulary.parse(written(config) or "", join(config.run, FILE))
    if name != AUTO:
        return Vocabulary.load(name)
    found = proposed(config)
    say(stage, f"vocabulary from captions: {told(found)}")
    return found


def proposed(config: RunConfig) -> Vocabulary:
    """The vocabulary that the captions of the run's training pictures suggest."""
    with local_copy(join(config.run, "data")) as folder:
        pictures = read_pictures(folder / "train", LOOK, READ)
    return propose(pictures.captions, pictures.images)


def told(vocabulary: Vocabulary) -> str:
    """In a few words."""
    if not vocabulary.places:
        return "no places, labels are words and phrases"
    return "; ".join(f"{place} ({', '.join(words)})" for place, words in vocabulary.places.items())


def written(config: RunConfig) -> str | None:
    """The text of the run's own vocabulary; None where it has none."""
    filesystem, path = filesystem_of(join(config.run, FILE))
    if filesystem.get_file_info(path).type != FileType.File:
        return None
    with filesystem.open_input_file(path) as file:
        return str(file.read(), "utf-8", "replace")
