"""What the server tells Prometheus, beside what Ray Serve tells of itself. Ray exports each name with `ray_` before it.

with phase("plan"):                 # how long a phase of an edit took
    made = await ...
planned(made)                       # what came of a prompt
app.add_middleware(InFlight)        # how many requests are being worked on
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from ray.util.metrics import Counter, Gauge, Histogram
from starlette.types import ASGIApp, Receive, Scope, Send

from swiggle.editing.composer import PromptPlan

PHASE_MS = Histogram(
    "swiggle_edit_phase_ms",
    "milliseconds that a phase of an edit took",
    boundaries=[0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1_000, 3_000],
    tag_keys=("phase",),
)
PROMPTS = Counter("swiggle_prompts", "prompts planned, by whether the plan changes anything", tag_keys=("outcome",))
CLAUSES = Counter("swiggle_retrieval_clauses", "clauses of prompts, by whether a label was found", tag_keys=("found",))
REQUESTS_IN_FLIGHT = Gauge("swiggle_requests_in_flight", "requests that this Gateway works on or keeps waiting")


@contextmanager
def phase(name: Literal["encode", "plan", "steer"]) -> Iterator[None]:
    """Time a phase of an edit; one that fails is not counted."""
    start = time.perf_counter()
    yield
    PHASE_MS.observe(max(1e3 * (time.perf_counter() - start), 1e-6), tags={"phase": name})


def planned(made: PromptPlan) -> None:
    """Count a prompt's plan, and what retrieval found for each of its clauses."""
    PROMPTS.inc(tags={"outcome": "changes" if made.plan.operations else "no_op"})
    for reason in made.reasons:
        CLAUSES.inc(tags={"found": "yes" if reason.matched else "no"})


class InFlight:
    """Middleware: counts the requests inside."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self._inside = app, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        self._count(1)
        try:
            await self.app(scope, receive, send)
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        self._inside += change
        REQUESTS_IN_FLIGHT.set(self._inside)
