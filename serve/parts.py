"""The parts of the graph as plain classes. Deployments and the fused replica both run exactly these."""

import threading

import numpy as np
import torch

from swiggle.atlas.hand_labels import entry_for, read_hand_labels, write_hand_labels
from swiggle.atlas.index import Entry, Match
from swiggle.atlas.labels import UNEXPLAINED
from swiggle.bundle import Bundle
from swiggle.editing.plan import EditPlan
from swiggle.editing.planner import Picture, PromptPlan


class EncoderPart:
    """Pictures to latents."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def encode(self, picture: np.ndarray) -> np.ndarray:
        """uint8 [S, S, 3] to float32 [C, h, w]."""
        return self.bundle.encode(picture[None])[0]


class SparsePart:
    """Latents to feature activations."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def activate(self, latent: np.ndarray) -> np.ndarray:
        """float32 [C, h, w] to float32 [features]."""
        return self.bundle.activations(latent[None])[0]


class SteeringPart:
    """Latents and plans to pictures; holds the decoder."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def steer(self, latent: np.ndarray, plan: EditPlan, sources: dict[str, np.ndarray]) -> np.ndarray:
        """The edited picture uint8 [S, S, 3]; `sources` are activations of the pictures that swaps name."""
        given = {name: torch.from_numpy(values) for name, values in sources.items()}
        return self.bundle.steering.steer(torch.from_numpy(latent)[None], plan, given)[0]


class RetrievalPart:
    """Prompts to plans, words to features; holds the text encoder, Chroma and the hand labels."""

    def __init__(self, bundle: Bundle, chroma: str | None = None) -> None:
        self.atlas = bundle.atlas
        self.folder = bundle.folder
        self.by_hand = read_hand_labels(bundle.folder)
        self.planner = bundle.planner_with(bundle.open_index(chroma))
        self._writing = threading.Lock()

    def plan(self, prompt: str, activations: np.ndarray, latent: np.ndarray) -> PromptPlan:
        """The plan for a picture with activations [features] and latent [C, h, w]."""
        return self.planner.plan(prompt, Picture(activations, latent.ravel()))

    def search(self, query: str, limit: int) -> list[Match]:
        """Features by meaning; words for a place in the query keep the search to it."""
        vocabulary = self.atlas.vocabulary
        words = [word for mention in vocabulary.mentions(query) for word in mention.words]
        places = vocabulary.named_places(query)
        return self.planner.index.search(" ".join(words) or query, places[-1] if places and words else None, limit)

    def labels(self) -> dict[int, str]:
        """Labels written by hand."""
        return dict(self.by_hand)

    def put_labels(self, labels: dict[int, str | None]) -> dict[int, str]:
        """Set or take back hand labels; the next search sees them. Returns all hand labels."""
        with self._writing:
            for feature, label in labels.items():
                if label is not None:
                    self.by_hand[feature] = label
                    self.planner.index.put(entry_for(feature, label, self.atlas.vocabulary))
                elif self.by_hand.pop(feature, None) is not None:
                    self._restore(feature)
            write_hand_labels(self.folder, self.by_hand)
            return dict(self.by_hand)

    def _restore(self, feature: int) -> None:
        label = self.atlas.labels[feature]
        if label == UNEXPLAINED:
            self.planner.index.drop(feature)
        else:
            self.planner.index.put(Entry(feature, label, self.atlas.words[feature], self.atlas.places[feature]))
