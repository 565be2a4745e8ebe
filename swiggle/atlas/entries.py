"""How labels are found: what the label index holds of each labelled feature."""

from collections.abc import Mapping
from dataclasses import dataclass

from swiggle.atlas.atlas import Atlas
from swiggle.atlas.label import UNEXPLAINED
from swiggle.captions.tokens import composed
from swiggle.captions.vocabulary import Vocabulary


@dataclass(frozen=True)
class Entry:
    """A labelled feature: its label, the words it is found by, the place they are said of."""

    feature: int
    label: str
    words: str
    place: str | None


def entry_for(feature: int, label: str, vocabulary: Vocabulary) -> Entry:
    """How a hand label is found: by its content words, at the place it names."""
    label = composed(label)
    words = [word for mention in vocabulary.mentions(label) for word in mention.words]
    places = vocabulary.named_places(label)
    return Entry(feature, label, " ".join(words) or label, places[-1] if places else None)


def hand_entries(by_hand: Mapping[int, str], vocabulary: Vocabulary) -> list[Entry]:
    """How hand labels are found."""
    return [entry_for(feature, label, vocabulary) for feature, label in sorted(by_hand.items())]


def made_entries(atlas: Atlas) -> list[Entry]:
    """How the labels that a bundle was made with are found."""
    rows = enumerate(zip(atlas.labels, atlas.words, atlas.places, strict=True))
    return [Entry(i, label, words, place) for i, (label, words, place) in rows if label != UNEXPLAINED]
