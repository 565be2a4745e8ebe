"""Requests made up from the API's own OpenAPI document: whatever is sent is answered, in the API's shape.

make fuzz        # 20,000 cases and more; SWIGGLE_FUZZ_CASES is the number for each operation
"""

import os
import resource
import time
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error

from serve.api import create_api
from serve.in_process import engine_in_process
from swiggle.bundle import Bundle

pytestmark = pytest.mark.integration
CASES = int(os.environ.get("SWIGGLE_FUZZ_CASES", "15"))
LONGEST = 10.0
"""Seconds in which anything must be answered, however busy the machine."""
GROWTH = 300 << 20
"""Bytes by which the process may grow from the first operation on; hypothesis keeps its own database in it."""

sizes: list[int] = []
"""The most memory that the process had used after each case, in bytes."""


@pytest.fixture(scope="module")
def api_schema(smoke_run: Path) -> schemathesis.BaseSchema:
    app = create_api(engine_in_process(Bundle.load(smoke_run)))
    return schemathesis.openapi.from_asgi("/openapi.json", app)


schema = schemathesis.pytest.from_fixture("api_schema")


@schema.parametrize()
@settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_every_request_is_answered(case: schemathesis.Case) -> None:
    start = time.monotonic()
    response = case.call()
    assert time.monotonic() - start < LONGEST
    case.validate_response(response, checks=[not_a_server_error])
    if response.status_code >= 400 and case.method != "HEAD":
        error = response.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert "Traceback" not in error["message"]
    sizes.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def test_memory_is_steady_and_enough_was_tried() -> None:
    print(f"{len(sizes)} cases, memory grew by {(sizes[-1] - sizes[0]) >> 20} MiB")
    assert len(sizes) >= 10 * CASES
    assert sizes[-1] - sizes[0] < GROWTH
