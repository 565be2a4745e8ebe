"""Labels from a vision model behind an OpenAI-compatible endpoint, for features that captions leave unexplained.

Never needed: `atlas.labeller=vision` asks for it, `atlas.labeller_url` and `atlas.labeller_model` say whom to ask, and
the key is read from the environment (`SWIGGLE_LABELLER_KEY`). The model is shown a feature's strongest pictures beside
pictures on which it does not fire, and names what sets them apart. Then it is asked, of other pictures in a mixed
order, which show this; how well that tells where the feature fires is the label's confidence. So a name that the model
itself cannot use is dropped, as one that captions do not bear out is.

A request that fails for a while is made again, more slowly each time. A question that gets no usable answer costs the
label of its feature and no other; what can get none at all, such as a wrong key, stops at once.
"""

import base64
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from swiggle.atlas.detectors import BETA
from swiggle.atlas.label import UNEXPLAINED, Label
from swiggle.atlas.rules import detection
from swiggle.captions.vocabulary import Vocabulary
from swiggle.errors import SwiggleError

KEY = "SWIGGLE_LABELLER_KEY"
MAX_LENGTH = 80
RETRIES = 5
"""How often a request that the endpoint is too busy for is made again, over half a minute."""
IN_A_ROW = 10
"""Questions without a usable answer after which the endpoint is taken to give none."""
_NAME = (
    "Each picture of the first group makes one feature of an image model fire; those of the second group do not. "
    'Answer with JSON {"label": "..."}: at most eight words for what the first group shows and the second does not, or '
    "an empty label if you see nothing of the kind."
)
_PICK = 'Which of these pictures show this: "%s"? Answer with JSON {"pictures": [numbers, counted from 1]}.'


class VisionError(SwiggleError, ValueError):
    """No vision model can be asked, or none that answers; the message says what to set."""


class NoAnswer(SwiggleError):
    """One question that got no usable answer."""


@dataclass(frozen=True)
class Answer:
    """What became of a feature's questions: its label, or None where the model has none for it; `failure`, why there
    is no answer."""

    feature: int
    label: Label | None = None
    failure: str = ""


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
    """Whoever can name what pictures share, and tell which pictures a name fits. Raises `NoAnswer` for a question that
    it cannot answer, `VisionError` where it never will."""

    def name(self, shown: Sequence[bytes], others: Sequence[bytes]) -> str:
        """A short phrase for what the first show and the second do not; empty if there is none."""
        ...

    def pick(self, label: str, pictures: Sequence[bytes]) -> list[bool]:
        """Which pictures a label fits."""
        ...


class VisionLabeller:
    """A `Labeller` that asks a chat endpoint with pictures."""

    def __init__(self, url: str, model: str) -> None:
        """Raises `VisionError` where the key or the `openai` package is missing."""
        try:
            from openai import APIStatusError, OpenAI, OpenAIError
        except ImportError as missing:
            raise VisionError(
                "atlas.labeller=vision needs the openai package: pip install 'swiggle[vision]'"
            ) from missing
        if not (key := os.environ.get(KEY)):
            raise VisionError(f"atlas.labeller=vision needs the endpoint's key in the environment variable {KEY}")
        if not (url and model):
            raise VisionError("atlas.labeller=vision needs atlas.labeller_url and atlas.labeller_model")
        self._client = OpenAI(base_url=url, api_key=key, max_retries=RETRIES, timeout=60.0)
        self._refused: type[APIStatusError] = APIStatusError
        self._failed: type[OpenAIError] = OpenAIError
        self._model = model

    def name(self, shown: Sequence[bytes], others: Sequence[bytes]) -> str:
        content = [_text("First group:"), *map(_picture, shown), _text("Second group:"), *map(_picture, others)]
        label = self._ask([_text(_NAME), *content], "label")
        if not isinstance(label, str):
            raise NoAnswer(f"the label answered is {label!r}")
        return label.strip()[:MAX_LENGTH]

    def pick(self, label: str, pictures: Sequence[bytes]) -> list[bool]:
        numbers = self._ask([_text(_PICK % label), *map(_picture, pictures)], "pictures")
        if not isinstance(numbers, list):
            raise NoAnswer(f"the pictures answered are {numbers!r}")
        return [number in numbers for number in range(1, len(pictures) + 1)]

    def _ask(self, content: list[dict[str, Any]], key: str) -> Any:
        """What is answered under a key of a JSON object. Raises `NoAnswer` and `VisionError`."""
        messages: Any = [{"role": "user", "content": content}]
        try:
            answer = self._client.chat.completions.create(model=self._model, messages=messages, temperature=0.0)
        except self._refused as error:
            if error.status_code in (401, 403):
                raise VisionError(f"the endpoint refused the key in {KEY} ({error.status_code})") from error
            if error.status_code == 404:
                raise VisionError(
                    f"atlas.labeller_url or atlas.labeller_model: the endpoint knows no {self._model!r} there (404)"
                ) from error
            raise NoAnswer(f"the endpoint answered {error.status_code}") from error
        except self._failed as error:
            raise NoAnswer(f"the endpoint did not answer ({error})") from error
        text = answer.choices[0].message.content if answer.choices else None
        try:
            return json.loads((text or "")[(text or "").index("{") : (text or "").rindex("}") + 1])[key]
        except (ValueError, KeyError) as error:
            raise NoAnswer(f"no JSON with {key!r} was answered but {(text or '')[:80]!r}") from error


def vision_labels(
    labeller: Labeller, evidence: Iterable[Evidence], vocabulary: Vocabulary, min_confidence: float, seed: int
) -> Iterator[Answer]:
    """The answer for each feature, as it comes: a label if their own labeller can use it. Raises `VisionError` where no
    more answers are to be expected."""
    failures = 0
    for about in evidence:
        try:
            label = _label(labeller, about, vocabulary, min_confidence, seed)
        except NoAnswer as error:
            failures += 1
            if failures == IN_A_ROW:
                raise VisionError(
                    f"atlas.labeller: {IN_A_ROW} questions in a row got no usable answer; the last: {error}"
                ) from error
            yield Answer(about.feature, failure=str(error))
        else:
            failures = 0
            yield Answer(about.feature, label)


def _label(
    labeller: Labeller, about: Evidence, vocabulary: Vocabulary, min_confidence: float, seed: int
) -> Label | None:
    name = labeller.name(about.shown, about.others)
    if not name or not about.fires or not about.silent:
        return None
    pictures = [*about.fires, *about.silent]
    truth = np.arange(len(pictures)) < len(about.fires)
    order = np.random.default_rng([seed, about.feature]).permutation(len(pictures))
    picked = np.array(labeller.pick(name, [pictures[i] for i in order]), bool)
    scores = detection(truth[order], picked, BETA)
    if scores.f < min_confidence:
        return None
    words = " ".join(word for mention in vocabulary.mentions(name) for word in mention.words)
    places = vocabulary.named_places(name)
    place = places[-1] if places else None
    return Label(name, words or name, place, scores.f, scores.precision, scores.recall, scores.f1, source="vision")


def unexplained(labels: Sequence[Label], live: np.ndarray) -> list[int]:
    """The live features, bool [features], that have no label yet."""
    return [i for i, label in enumerate(labels) if live[i] and label.text == UNEXPLAINED]


def _text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def _picture(png: bytes) -> dict[str, Any]:
    url = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}
