"""The vision labeller against a stub of an OpenAI-compatible endpoint on this machine."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from swiggle.atlas.label import Label
from swiggle.atlas.vision import KEY, Evidence, VisionLabeller, unexplained, vision_labels
from swiggle.captions.vocabulary import Vocabulary

NOUNS = Vocabulary.load("nouns")
RED, BLUE = b"red", b"blue"


class Stub(ThreadingHTTPServer):
    """Answers with JSON that `reply` makes of the texts and pictures it is sent; keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.label = "red shirt"
        self.failures: list[int | str] = []
        """What is answered in place of the next questions: a status, or a text that is no answer."""

    def reply(self, content: list[dict[str, Any]]) -> str:
        pictures = [part["image_url"]["url"] for part in content if part["type"] == "image_url"]
        if content[0]["text"].startswith("Which"):
            red = [number for number, url in enumerate(pictures, 1) if url.endswith("cmVk")]
            return f"```json\n{json.dumps({'pictures': red})}\n```"
        return json.dumps({"label": self.label})


class Handler(BaseHTTPRequestHandler):
    server: Stub

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        self.server.keys.append(self.headers["Authorization"])
        failure = self.server.failures.pop(0) if self.server.failures else None
        text = failure if isinstance(failure, str) else self.server.reply(body["messages"][0]["content"])
        message = {"role": "assistant", "content": text}
        answer = {"id": "1", "object": "chat.completion", "created": 0, "model": body["model"],
                  "choices": [{"index": 0, "finish_reason": "stop", "message": message}]}  # fmt: skip
        content = json.dumps(answer).encode()
        self.send_response(failure if isinstance(failure, int) else 200)
        self.send_header("retry-after-ms", "1")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def stub() -> Iterator[Stub]:
    server = Stub()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_name_is_given_and_checked(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "secret")
    labeller = VisionLabeller(f"http://127.0.0.1:{stub.server_port}/v1", "seer")
    good = Evidence(3, [RED] * 2, [BLUE] * 2, [RED] * 3, [BLUE] * 3)
    useless = Evidence(5, [RED] * 2, [BLUE] * 2, [BLUE] * 3, [RED] * 3)
    named, dropped = vision_labels(labeller, [good, useless], NOUNS, 0.5, seed=0)
    assert (dropped.feature, dropped.label, dropped.failure) == (5, None, "")
    assert named.feature == 3
    assert named.label == Label("red shirt", "red", "body", 1.0, 1.0, 1.0, 1.0, source="vision")
    assert {body["model"] for body in stub.asked} == {"seer"}
    assert set(stub.keys) == {"Bearer secret"}


def test_no_name_no_label(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "secret")
    stub.label = ""
    labeller = VisionLabeller(f"http://127.0.0.1:{stub.server_port}/v1", "seer")
    (answer,) = vision_labels(labeller, [Evidence(3, [RED], [BLUE], [RED], [BLUE])], NOUNS, 0.5, seed=0)
    assert (answer.label, answer.failure) == (None, "")
    assert len(stub.asked) == 1


def test_the_key_comes_from_the_environment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY, raising=False)
    with pytest.raises(ValueError, match=KEY):
        VisionLabeller("http://127.0.0.1:1/v1", "seer")
    monkeypatch.setenv(KEY, "secret")
    with pytest.raises(ValueError, match=r"atlas\.labeller_url"):
        VisionLabeller("", "seer")


def test_who_is_asked_about() -> None:
    labels = [Label("shark head"), Label("unexplained"), Label("unexplained")]
    assert unexplained(labels, [True, True, False]) == [1]


GOOD = [Evidence(number, [RED] * 2, [BLUE] * 2, [RED] * 3, [BLUE] * 3) for number in range(4)]


@pytest.fixture
def labeller(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> VisionLabeller:
    monkeypatch.setenv(KEY, "secret")
    return VisionLabeller(f"http://127.0.0.1:{stub.server_port}/v1", "seer")


@pytest.mark.parametrize("failure", [429, 500, 503])
def test_a_request_that_fails_for_a_while_is_made_again(stub: Stub, labeller: VisionLabeller, failure: int) -> None:
    stub.failures = [failure] * 4
    (answer,) = vision_labels(labeller, GOOD[:1], NOUNS, 0.5, seed=0)
    assert answer.label is not None
    assert answer.label.text == "red shirt"
    assert len(stub.asked) == 6


@pytest.mark.parametrize("failure", [[503] * 6, [400], ["no idea"], ['{"name": "red"}'], ['{"label": 3}'], ["[]"]])
def test_one_question_without_an_answer_costs_one_label(
    stub: Stub, labeller: VisionLabeller, failure: list[int | str]
) -> None:
    stub.failures = failure
    answers = list(vision_labels(labeller, GOOD[:2], NOUNS, 0.5, seed=0))
    assert [answer.feature for answer in answers] == [0, 1]
    assert answers[0].label is None
    assert answers[0].failure
    assert answers[1].label is not None
    assert answers[1].label.text == "red shirt"


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_key_or_model_that_is_refused_stops_at_once(stub: Stub, labeller: VisionLabeller, status: int) -> None:
    from swiggle.atlas.vision import VisionError

    stub.failures = [status] * 10
    with pytest.raises(VisionError, match=r"atlas\.labeller|SWIGGLE_LABELLER_KEY"):
        list(vision_labels(labeller, GOOD, NOUNS, 0.5, seed=0))
    assert len(stub.asked) == 1


def test_an_endpoint_that_answers_nothing_stops_after_some_questions(stub: Stub, labeller: VisionLabeller) -> None:
    from swiggle.atlas.vision import IN_A_ROW, VisionError

    stub.failures = ["no idea"] * 100
    many = [Evidence(number, [RED], [BLUE], [RED], [BLUE]) for number in range(50)]
    with pytest.raises(VisionError, match="in a row"):
        list(vision_labels(labeller, many, NOUNS, 0.5, seed=0))
    assert len(stub.asked) == IN_A_ROW


def test_a_choice_that_is_none_is_no_answer(stub: Stub, labeller: VisionLabeller) -> None:
    """What was asked first was answered; what the second question gets is no choice of pictures."""
    stub.failures = ['{"label": "red shirt"}', '{"pictures": "all"}']
    (answer,) = vision_labels(labeller, GOOD[:1], NOUNS, 0.5, seed=0)
    assert (answer.label, "pictures" in answer.failure) == (None, True)
