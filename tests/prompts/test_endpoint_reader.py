"""The reader against a server of our own that answers as an OpenAI-compatible endpoint does."""

import json
import logging
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from swiggle.captions.vocabulary import Vocabulary
from swiggle.prompts.clauses import Clause, read_clauses
from swiggle.prompts.endpoint_reader import MODEL, EndpointError, EndpointReader, reader_from_environment

NOUNS = Vocabulary.load("nouns")
SHARK = {
    "text": "a shark",
    "action": "replace",
    "words": "shark",
    "place": "head",
    "amount": 1.0,
    "instead_of": "old cat",
}


class Endpoint(ThreadingHTTPServer):
    """Answers chat completions with `content`, or with `whole` or the status `failing`; keeps what it was asked."""

    content: str = ""
    whole: dict | None = None
    failing: int | None = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.asked: list[tuple[str, str, dict]] = []


class Answering(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, self.headers["Authorization"], body))
        message = {"role": "assistant", "content": self.server.content}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        answer = {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
        self.send_response(self.server.failing or 200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer if self.server.whole is None else self.server.whole).encode())

    def log_message(self, *_: object) -> None:
        """Tests stay quiet."""


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    server = Endpoint()
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "a-key")
    monkeypatch.setenv(MODEL, "a-model")
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_model_turns_a_prompt_into_clauses(endpoint: Endpoint) -> None:
    unplaced = {"text": "no hoof", "action": "remove", "words": "", "place": "hoof", "amount": 1, "instead_of": ""}
    endpoint.content = json.dumps({"requests": [SHARK, unplaced | {"words": "Tie-Dye"}]})
    reader = reader_from_environment()
    assert reader("be a shark", NOUNS) == [
        Clause("a shark", "replace", ("shark",), "head", 1.0, ("old", "cat")),
        Clause("no hoof", "remove", ("tie", "dye"), None, 1.0),
    ]
    ((path, key, body),) = endpoint.asked
    assert (path, key, body["model"]) == ("/v1/chat/completions", "Bearer a-key", "a-model")
    assert "noggles" in body["messages"][0]["content"]
    assert body["messages"][1]["content"] == "be a shark"
    assert body["response_format"]["json_schema"]["strict"] is True


@pytest.mark.parametrize(
    ("content", "failing", "why"),
    [
        ("I would make it a shark.", None, "did not answer clauses"),
        (json.dumps({"requests": [SHARK | {"action": "explode"}]}), None, "did not answer clauses"),
        ("", 401, "failed"),
    ],
)
def test_what_goes_wrong_is_said_and_the_prompt_read_by_rule(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture, content: str, failing: int | None, why: str
) -> None:
    endpoint.content, endpoint.failing = content, failing
    reader = EndpointReader("a-model")
    with pytest.raises(EndpointError, match=why):
        reader.ask("make it a pizza", NOUNS)
    with caplog.at_level(logging.WARNING):
        assert reader("make it a pizza", NOUNS) == read_clauses("make it a pizza", NOUNS)
    assert why in caplog.text


def test_without_a_model_there_is_no_endpoint_and_without_a_key_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MODEL, raising=False)
    assert reader_from_environment() is read_clauses
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv(MODEL, "a-model")
    with pytest.raises(EndpointError, match="OPENAI_API_KEY"):
        reader_from_environment()


@pytest.mark.parametrize(
    ("content", "failing", "note"),
    [("nonsense", None, "did not answer clauses"), ("", 401, "could not be asked"), ("", 500, "could not be asked")],
)
def test_a_prompt_read_by_rule_says_so(endpoint: Endpoint, content: str, failing: int | None, note: str) -> None:
    endpoint.content, endpoint.failing = content, failing
    (clause,) = EndpointReader("a-model")("make it a pizza", NOUNS)
    assert "by rule" in clause.note
    assert note in clause.note
    assert "127.0.0.1" not in clause.note  # where the endpoint is, is for the log


def test_what_cannot_be_used_of_an_answer_is_said(endpoint: Endpoint, caplog: pytest.LogCaptureFixture) -> None:
    empty = SHARK | {"text": "hm", "words": "—", "place": None}
    endpoint.content = json.dumps({"requests": [SHARK | {"place": "hoof"}, empty]})
    with caplog.at_level(logging.WARNING):
        (clause,) = EndpointReader("a-model")("be a shark, hm", NOUNS)
    assert clause.place is None
    assert "hoof" in clause.note
    assert "hm" in caplog.text


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"choices": None},
        {"choices": []},
        {"choices": [{"index": 0}]},
        {"choices": [{"message": {"content": None}}]},
    ],
)
def test_answers_without_a_message(endpoint: Endpoint, answer: dict) -> None:
    endpoint.whole = answer
    with pytest.raises(EndpointError, match="did not answer clauses"):
        EndpointReader("a-model").ask("make it a pizza", NOUNS)


def test_a_fault_of_our_own_is_not_the_models(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint.content = json.dumps({"requests": [SHARK]})

    def broken(text: str) -> list[str]:
        raise TypeError("a fault of ours")

    monkeypatch.setattr("swiggle.prompts.endpoint_reader.tokenise", broken)
    with pytest.raises(TypeError, match="a fault of ours"):
        EndpointReader("a-model")("make it a pizza", NOUNS)
