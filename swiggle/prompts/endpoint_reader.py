"""Reading prompts with a language model behind an OpenAI-compatible endpoint, in place of `clauses.read_clauses`.

    SWIGGLE_PLANNER_MODEL=some-model OPENAI_BASE_URL=http://127.0.0.1:11434/v1 OPENAI_API_KEY=... python -m serve ...

The model only turns a prompt into clauses; which features they mean and how these move stays the planner's own. Where
the endpoint fails or answers something else, the prompt is read by rule, and the reasons of its plan say so.
"""

import logging
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from swiggle.captions.vocabulary import Vocabulary, tokenise
from swiggle.errors import SwiggleError
from swiggle.prompts.clauses import Clause, read_clauses

MODEL = "SWIGGLE_PLANNER_MODEL"
"""The environment variable that names the model; without it prompts are read by rule."""
TIMEOUT = 10.0
"""Seconds."""
Reader = Callable[[str, Vocabulary], list[Clause]]
_log = logging.getLogger(__name__)
_INSTRUCTIONS = """You read requests to edit a picture. Answer JSON: the list of requests, in order.
For each: `text`, the part of the prompt it comes from; `action`: "replace" (put something there), "remove", "raise"
(more of it), "lower" (less of it); `words`: only the words for the thing itself, as said, without verbs, articles and
words for the place ("" to remove whatever is there); `place`: {places}, or null if the prompt names none; `amount`: 1,
0.5 for "a bit", 2 for "much"; `instead_of`: the words for what it takes the place of, or "". What is to stay as it is,
is no request.
"""


class EndpointError(SwiggleError, RuntimeError):
    """The endpoint could not be asked, or did not answer clauses. `short` says so without naming the endpoint."""

    def __init__(self, message: str, short: str = "could not be asked") -> None:
        super().__init__(message)
        self.short = short


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str
    action: Literal["replace", "remove", "raise", "lower"]
    words: str
    place: str | None
    amount: float = Field(ge=0.0, le=10.0, allow_inf_nan=False)
    instead_of: str


class _Requests(BaseModel):
    model_config = ConfigDict(extra="forbid")

    requests: list[_Request] = Field(max_length=32)


class EndpointReader:
    """Reads prompts with one model. The client takes its address and key from `OPENAI_BASE_URL` and `OPENAI_API_KEY`.

    Raises `EndpointError` at once if there is no client library or no key."""

    def __init__(self, model: str) -> None:
        try:
            from openai import OpenAI, OpenAIError
        except ImportError as missing:
            raise EndpointError(f"{MODEL} needs the client library: pip install 'swiggle[endpoint]'") from missing
        try:
            self._client = OpenAI(timeout=TIMEOUT, max_retries=1)
        except OpenAIError as error:
            raise EndpointError(f"{MODEL}: {error}") from error
        self._failures: type[Exception] = OpenAIError
        self.model = model

    def __call__(self, prompt: str, vocabulary: Vocabulary) -> list[Clause]:
        """The clauses of a prompt, by the model, or by rule if it cannot be asked."""
        try:
            return self.ask(prompt, vocabulary)
        except EndpointError as error:
            _log.warning("%s; the prompt is read by rule", error)
            note = f"the language model {error.short}, so the prompt was read by rule"
            return [replace(clause, note=note) for clause in read_clauses(prompt, vocabulary)]

    def ask(self, prompt: str, vocabulary: Vocabulary) -> list[Clause]:
        """The clauses of a prompt. Raises `EndpointError`."""
        places = ", ".join(f'"{place}" ({", ".join(words)})' for place, words in vocabulary.places.items())
        schema: Any = {"name": "requests", "strict": True, "schema": _Requests.model_json_schema()}
        try:
            answer = self._client.chat.completions.create(
                model=self.model,
                temperature=0.0,
                messages=[
                    {"role": "system", "content": _INSTRUCTIONS.format(places=places or "null")},
                    {"role": "user", "content": prompt},
                ],
                response_format={"type": "json_schema", "json_schema": schema},
            )
        except self._failures as error:
            raise EndpointError(f"the endpoint at {self._client.base_url} failed: {error}") from error
        # The client does not check what came: whatever an endpoint leaves out is None.
        said = answer.choices[0].message if answer.choices else None
        try:
            found = _Requests.model_validate_json((said.content if said else None) or "")
        except ValidationError as error:
            message = f"model {self.model} did not answer clauses: {error}"
            raise EndpointError(message, "did not answer clauses") from error
        return [clause for request in found.requests if (clause := _clause(request, vocabulary)) is not None]


def reader_from_environment() -> Reader:
    """The reader that the environment asks for: a model, or the rules of `read_clauses`. Raises `EndpointError`."""
    model = os.environ.get(MODEL)
    return EndpointReader(model) if model else read_clauses


def _clause(request: _Request, vocabulary: Vocabulary) -> Clause | None:
    """The clause of a request; None, which is logged, for one that asks for nothing."""
    words, old = tuple(tokenise(request.words)), tuple(tokenise(request.instead_of))
    known = request.place is None or request.place in vocabulary.places
    if not words and (request.place is None or not known):
        _log.warning("of the model's answer %r asks for nothing and is left out", request.text)
        return None
    note = "" if known else f"the language model named a place {request.place!r} that there is not"
    return Clause(request.text, request.action, words, request.place if known else None, request.amount, old, note)
