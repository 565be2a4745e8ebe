"""Requests made up from the API's own OpenAPI document: whatever is sent is answered, in the API's shape.

make fuzz        # 20,000 cases and more, in rounds that differ in their seeds
"""

import os
import resource
import shutil
from contextlib import nullcontext, suppress
from pathlib import Path

import numpy as np
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode

from serve.api import create_api
from serve.engine import Engine
from serve.in_process import engine_in_process
from swiggle.bundle import Bundle

pytestmark = pytest.mark.integration
CASES = int(os.environ.get("SWIGGLE_FUZZ_CASES", "6"))
"""Of each operation, as it is described and otherwise, in a round."""
ROUNDS = int(os.environ.get("SWIGGLE_FUZZ_ROUNDS", "1"))
GROWTH = 100 << 20
"""Bytes by which the process may grow after its first round; what hypothesis remembers is in it."""


def check(case: schemathesis.Case, session: str) -> None:
    """Send a request; one about a picture also about a real one, since made-up pictures cannot be read."""
    check_answer(case)
    if isinstance(case.body, dict) and {"image", "session"} & case.body.keys():
        case.body = {name: value for name, value in case.body.items() if name != "image"} | {"session": session}
        check_answer(case)


def check_answer(case: schemathesis.Case) -> None:
    response = case.call()
    assert response.status_code < 500, f"{case.as_curl_command()}\n{response.text}"
    if response.status_code >= 400:
        error = response.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert "Traceback" not in error["message"]


def most_memory() -> int:
    """The most bytes that this process has used so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def try_many(operation: schemathesis.schemas.APIOperation, mode: GenerationMode, session: str, number: int) -> int:
    """Check requests to an operation that are as its description says, or are not. Returns how many."""
    tried = 0

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
        nonlocal tried
        tried += 1
        check(case, session)

    # A request without parts cannot be wrong.
    with suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else nullcontext():
        try_it()
    return tried


@pytest.fixture(scope="module")
def engine(smoke_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    bundle = tmp_path_factory.mktemp("fuzz") / "run"  # labels are written beside it
    shutil.copytree(smoke_run, bundle, ignore=shutil.ignore_patterns("data", "latents", "sweep*", "train_vae"))
    return engine_in_process(Bundle.load(bundle))


@pytest.fixture(scope="module")
def sizes() -> list[int]:
    """The most memory used at the end of each round."""
    return []


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("number", range(ROUNDS))
def test_every_request_is_answered(engine: Engine, sizes: list[int], number: int) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", create_api(engine))
    session = engine.sessions.open(np.zeros((4, 8, 8), np.float32)).id
    operations = [found.ok() for found in schema.get_all_operations()]
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    tried = sum(try_many(operation, mode, session, number) for operation in operations for mode in modes)
    sizes.append(most_memory())
    print(f"{tried} cases of {len(operations)} operations, {sizes[-1] >> 20} MiB at most")
    assert len(operations) >= 15
    assert tried >= 20 * CASES
    assert sizes[-1] - sizes[0] < GROWTH
