"""Labels from a vision model behind an OpenAI-compatible endpoint, for features that captions leave unexplained.

Never needed: `atlas.labeller=vision` asks for it, `atlas.labeller_url` and `atlas.labeller_model` say whom to ask, and
the key is read from the environment (`SWIGGLE_LABELLER_KEY`). The model is shown a feature's strongest pictures beside
pictures on which it does not fire, and names what sets them apart. Then it is asked, of other pictures in a mixed
order, which show this; how well that tells where the feature fires is the label's confidence. So a name that the model
itself cannot use is dropped, as one that captions do not bear out is.
"""

import base64
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from swiggle.atlas.labels import BETA, UNEXPLAINED, Label
from swiggle.atlas.rules import detection
from swiggle.vocabulary import Vocabulary

KEY = "SWIGGLE_LABELLER_KEY"
MAX_LENGTH = 80
_NAME = (
    "Each picture of the first group makes one feature of an image model fire; those of the second group do not. "
    'Answer with JSON {"label": "..."}: at most eight words for what the first group shows and the second does not, or '
    "an empty label if you see nothing of the kind."
)
_PICK = 'Which of these pictures show this: "%s"? Answer with JSON {"pictures": [numbers, counted from 1]}.'


@dataclass(frozen=True)
class Evidence:
    """About a feature, pictures as PNG bytes: `shown`, its strongest; `others`, on which it does not fire; and to check
    a name with, further ones on which it fires and does not."""

    feature: int
    shown: Sequence[bytes]
    others: Sequence[bytes]
    fires: Sequence[bytes]
    silent: Sequence[bytes]


class Labeller(Protocol):
    """Whoever can name what pictures share, and tell which pictures a name fits."""

    def name(self, shown: Sequence[bytes], others: Sequence[bytes]) -> str:
        """A short phrase for what the first show and the second do not; empty if there is none."""
        ...

    def pick(self, label: str, pictures: Sequence[bytes]) -> list[bool]:
        """Which pictures a label fits."""
        ...


class VisionLabeller:
    """A `Labeller` that asks a chat endpoint with pictures."""

    def __init__(self, url: str, model: str) -> None:
        """Raises ValueError where the key or the `openai` package is missing."""
        try:
            from openai import OpenAI
        except ImportError as missing:
            raise ValueError(
                "atlas.labeller=vision needs the openai package: pip install 'swiggle[vision]'"
            ) from missing
        if not (key := os.environ.get(KEY)):
            raise ValueError(f"atlas.labeller=vision needs the endpoint's key in the environment variable {KEY}")
        if not (url and model):
            raise ValueError("atlas.labeller=vision needs atlas.labeller_url and atlas.labeller_model")
        self._client = OpenAI(base_url=url, api_key=key, max_retries=3, timeout=60.0)
        self._model = model

    def name(self, shown: Sequence[bytes], others: Sequence[bytes]) -> str:
        content = [_text("First group:"), *map(_picture, shown), _text("Second group:"), *map(_picture, others)]
        label = self._ask([_text(_NAME), *content]).get("label", "")
        return label.strip()[:MAX_LENGTH] if isinstance(label, str) else ""

    def pick(self, label: str, pictures: Sequence[bytes]) -> list[bool]:
        numbers = self._ask([_text(_PICK % label), *map(_picture, pictures)]).get("pictures", [])
        chosen = set(numbers) if isinstance(numbers, list) else set()
        return [number in chosen for number in range(1, len(pictures) + 1)]

    def _ask(self, content: list[dict[str, Any]]) -> dict[str, Any]:
        """The JSON object that is answered; empty for an answer that is none."""
        messages: Any = [{"role": "user", "content": content}]
        answer = self._client.chat.completions.create(model=self._model, messages=messages, temperature=0.0)
        text = answer.choices[0].message.content or ""
        try:
            found = json.loads(text[text.index("{") : text.rindex("}") + 1])
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


def vision_labels(
    labeller: Labeller, evidence: Iterable[Evidence], vocabulary: Vocabulary, min_confidence: float, seed: int
) -> dict[int, Label]:
    """The labels that their own labeller can use, by feature."""
    found = {}
    for about in evidence:
        name = labeller.name(about.shown, about.others)
        if not name or not about.fires or not about.silent:
            continue
        pictures = [*about.fires, *about.silent]
        truth = np.arange(len(pictures)) < len(about.fires)
        order = np.random.default_rng([seed, about.feature]).permutation(len(pictures))
        picked = np.array(labeller.pick(name, [pictures[i] for i in order]), bool)
        scores = detection(truth[order], picked, BETA)
        if scores.f < min_confidence:
            continue
        words = " ".join(word for mention in vocabulary.mentions(name) for word in mention.words)
        places = vocabulary.named_places(name)
        found[about.feature] = Label(
            name, words or name, places[-1] if places else None, scores.f, scores.precision, scores.recall, scores.f1,
            source="vision",
        )  # fmt: skip
    return found


def unexplained(labels: Sequence[Label], live: np.ndarray) -> list[int]:
    """The live features, bool [features], that have no label yet."""
    return [i for i, label in enumerate(labels) if live[i] and label.text == UNEXPLAINED]


def _text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def _picture(png: bytes) -> dict[str, Any]:
    url = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}
