"""Labels written by hand. They override the automatic ones and live beside the bundle's sealed files."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from swiggle.atlas.atlas import Atlas
from swiggle.atlas.index import Entry
from swiggle.atlas.labels import UNEXPLAINED
from swiggle.vocabulary import Vocabulary

NAME = "hand_labels.json"
MAX_LENGTH = 200


def read_hand_labels(folder: Path) -> dict[int, str]:
    """Feature to label. Raises ValueError naming a damaged file."""
    path = folder / NAME
    if not path.is_file():
        return {}
    try:
        return {int(feature): str(label) for feature, label in json.loads(path.read_text()).items()}
    except (ValueError, AttributeError) as error:
        raise ValueError(f"{path}: {error}") from error


def write_hand_labels(folder: Path, labels: Mapping[int, str]) -> None:
    """Replace the file in one step."""
    partial = folder / f".{NAME}.partial"
    partial.write_text(json.dumps({str(i): labels[i] for i in sorted(labels)}, indent=1, ensure_ascii=False) + "\n")
    os.replace(partial, folder / NAME)


def entry_for(feature: int, label: str, vocabulary: Vocabulary) -> Entry:
    """How a hand label is found: by its content words, at the place it names."""
    words = [word for mention in vocabulary.mentions(label) for word in mention.words]
    places = vocabulary.named_places(label)
    return Entry(feature, label, " ".join(words) or label, places[-1] if places else None)


def entries(atlas: Atlas, by_hand: Mapping[int, str]) -> list[Entry]:
    """Every labelled feature, hand labels first in right."""
    found = []
    for feature, (label, words, place) in enumerate(zip(atlas.labels, atlas.words, atlas.places, strict=True)):
        if feature in by_hand:
            found.append(entry_for(feature, by_hand[feature], atlas.vocabulary))
        elif label != UNEXPLAINED:
            found.append(Entry(feature, label, words, place))
    return found
