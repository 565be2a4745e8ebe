"""Requests made up from the API's own OpenAPI document: whatever is sent is answered, in the API's shape.

make fuzz        # 20,000 cases and more, in rounds that differ in their seeds
"""

import base64
import io
import os
import resource
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import schemathesis

# Imported while tests are collected: left to the first schema, its sources were parsed while other threads ran, which
# in CPython 3.11 can fail with a SystemError about recursion depth (gh-106905).
import schemathesis.specs.openapi.schemas
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from PIL import Image
from schemathesis.generation import GenerationMode

from serve.parts.engine import Engine
from serve.parts.in_process import engine_in_process
from serve.routes.api import create_api
from serve.routes.openai_form import EditParameters
from swiggle.bundle import Bundle

pytestmark = pytest.mark.integration
CASES = int(os.environ.get("SWIGGLE_FUZZ_CASES", "6"))
"""Of each operation, as it is described and otherwise, in a round."""
ROUNDS = int(os.environ.get("SWIGGLE_FUZZ_ROUNDS", "1"))
GROWTH = 100 << 20
"""Bytes by which the process may grow after its first round; what hypothesis remembers is in it."""


def check(case: schemathesis.Case, session: str, statuses: Counter[int]) -> None:
    """Send a request; one about a picture also about a real one, since made-up pictures cannot be read."""
    check_answer(case, statuses)
    if isinstance(case.body, dict) and {"image", "session"} & case.body.keys():
        case.body = {name: value for name, value in case.body.items() if name != "image"} | {"session": session}
        check_answer(case, statuses)


def check_answer(case: schemathesis.Case, statuses: Counter[int]) -> None:
    response = case.call(headers={"Host": "localhost"})
    check_shape(response, case.as_curl_command())
    statuses[response.status_code] += 1


def check_shape(response: Any, asked: object) -> None:
    assert response.status_code < 500, f"{asked}\n{response.text}"
    if response.status_code >= 400:
        error = response.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert "Traceback" not in error["message"]


def most_memory() -> int:
    """The most bytes that this process has used so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def is_form(operation: schemathesis.schemas.APIOperation) -> bool:
    return any(body.media_type == "multipart/form-data" for body in operation.body)


def try_many(
    operation: schemathesis.schemas.APIOperation, mode: GenerationMode, session: str, number: int
) -> Counter[int]:
    """Check requests to an operation that are as its description says, or are not. Returns the answers' statuses."""
    statuses: Counter[int] = Counter()
    if mode is GenerationMode.NEGATIVE and is_form(operation):
        return statuses  # schemathesis fails to spoil files ("Unsupported type"); the forms below do it

    @settings(
        max_examples=CASES,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @seed(number)
    @given(case=operation.as_strategy(generation_mode=mode))
    def try_it(case: schemathesis.Case) -> None:
        check(case, session, statuses)

    # A request without parts cannot be wrong.
    with suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else nullcontext():
        try_it()
    return statuses


@pytest.fixture(scope="module")
def engine(hand_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    bundle = tmp_path_factory.mktemp("fuzz") / "run"  # labels are written beside it
    shutil.copytree(hand_folder, bundle, ignore=shutil.ignore_patterns("hand_labels*"))
    return engine_in_process(Bundle.load(bundle))


@pytest.fixture(scope="module")
def app(engine: Engine) -> FastAPI:
    """One for all rounds, as a server has one."""
    return create_api(engine)


@pytest.fixture(scope="module")
def sizes() -> list[int]:
    """The most memory used at the end of each round."""
    return []


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("number", range(ROUNDS))
def test_every_request_is_answered(engine: Engine, app: FastAPI, sizes: list[int], number: int) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, headers={"Host": "localhost"})
    session = engine.sessions.open(np.zeros((4, 8, 8), np.float32)).id
    operations = [found.ok() for found in schema.get_all_operations()]
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    statuses: Counter[int] = Counter()
    for operation in operations:
        for mode in modes:
            statuses += try_many(operation, mode, session, number)
    sizes.append(most_memory())
    print(f"{statuses.total()} cases of {len(operations)} operations, {sizes[-1] >> 20} MiB at most: {dict(statuses)}")
    assert len(operations) >= 15
    assert statuses.total() >= 20 * CASES
    assert statuses[200] >= 5 * CASES  # else only how requests are refused is tried
    assert statuses[403] == 0
    assert sizes[-1] - sizes[0] < GROWTH


def picture(mode: str, size: tuple[int, int], kind: str) -> bytes:
    stream = io.BytesIO()
    Image.new(mode, size, 100).save(stream, kind)
    return stream.getvalue()


FILES = st.one_of(
    st.builds(
        picture,
        st.sampled_from(["RGB", "RGBA", "L", "P", "LA", "I;16", "1"]),
        st.tuples(st.integers(1, 80), st.integers(1, 80)),
        st.just("PNG"),
    ),
    st.builds(picture, st.sampled_from(["RGB", "L"]), st.just((32, 32)), st.sampled_from(["JPEG", "WEBP", "GIF"])),
    st.binary(max_size=100),
)
WORDS = """1 0 11 auto 256x256 128x256 9999x9999 b64_json url png jpeg webp gif 80 true false high low opaque
transparent dall-e-2"""
VALUES = st.one_of(st.sampled_from(WORDS.split()), st.text(max_size=30))
FIELDS = st.sampled_from([*EditParameters.model_fields, "mask", "image", "style"])


@st.composite
def openai_forms(draw: st.DrawFn) -> dict[str, Any]:
    """A form as OpenAI's clients send it: a good prompt and picture most of the time, and whatever else there is."""
    fields: list[tuple[str, tuple[str | None, bytes]]] = []
    if draw(st.integers(0, 9)):
        fields.append(("prompt", (None, b"make it a shark")))
    image = draw(st.sampled_from(["image", "image[]"]))
    good = picture("RGB", (32, 32), "PNG")
    files = draw(st.lists(st.one_of(st.just(good), FILES), min_size=1, max_size=2)) if draw(st.integers(0, 9)) else []
    fields += [(image, ("picture.png", content)) for content in files]
    if draw(st.booleans()):
        mask = st.one_of(st.builds(picture, st.just("RGBA"), st.just((32, 32)), st.just("PNG")), FILES)
        fields.append(("mask", ("mask.png", draw(mask))))
    for name in draw(st.lists(FIELDS, max_size=2)):
        fields.append((name, (None, draw(VALUES).encode("utf-8", "replace"))))
    return {"files": fields}


def base64_of(content: bytes, how: str) -> str:
    text = base64.b64encode(content).decode()
    return {
        "lines": "\r\n".join(text[i : i + 76] for i in range(0, len(text), 76)),
        "url": text.replace("+", "-").replace("/", "_"),
        "bare": text.rstrip("="),
        "data": f"data:image/png;base64,{text}",
        "cut": text[:-3],
        "spaces": f"  {text} ",
        "other": f"data:text/html,{text}",
    }[how]


JSON = st.builds(
    lambda content, how, rest: {"json": {"image": base64_of(content, how), "prompt": "make it a shark", **rest}},
    FILES,
    st.sampled_from(["lines", "url", "bare", "data", "cut", "spaces", "other"]),
    st.dictionaries(st.sampled_from(["strength", "format", "session", "plan"]), st.none() | VALUES, max_size=1),
)
ODD_HOSTS = "localhost LOCALHOST:80 127.0.0.1:8000 [::1] [::1 a@localhost localhost:x localhost:0 * 127.0.0.1.example"
HOSTS = st.sampled_from(["", *ODD_HOSTS.split()]) | st.text(st.characters(min_codepoint=33, max_codepoint=126))


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, "http://localhost", raise_server_exceptions=False) as running:
        yield running


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("number", range(ROUNDS))
@pytest.mark.parametrize(("path", "bodies"), [("/v1/images/edits", openai_forms()), ("/v1/edits", JSON)])
def test_every_body_of_a_client_is_answered(
    client: TestClient, path: str, bodies: st.SearchStrategy[dict[str, Any]], number: int
) -> None:
    statuses: set[int] = set()

    @settings(max_examples=8 * CASES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @seed(number)
    @given(bodies)
    def try_it(body: dict[str, Any]) -> None:
        response = client.post(path, **body)
        check_shape(response, body)
        statuses.add(response.status_code)

    try_it()
    assert {200, 400} <= statuses


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("number", range(ROUNDS))
def test_every_host_and_method_is_answered(client: TestClient, number: int) -> None:
    paths = st.sampled_from(
        ["/", "/healthz", "/v1/model", "/v1/models", "/v1/features", "/v1/nothing", "/static/app.js"]
    )

    @settings(max_examples=8 * CASES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @seed(number)
    @given(st.sampled_from(["GET", "HEAD", "OPTIONS", "POST", "DELETE"]), paths, HOSTS)
    def try_it(method: str, path: str, host: str) -> None:
        response = client.request(method, path, headers=httpx.Headers({"Host": host}))
        if method == "HEAD":
            assert response.status_code < 500
            assert response.content == b""
        else:
            check_shape(response, (method, path, host))

    try_it()
