"""Engines whose parts run in this process: the fused Gateway's, and, without Ray, those of tests and benchmarks.

app = create_api(engine_in_process(Bundle.load("runs/demo")))     # for uvicorn
"""

import time
from typing import Any

import numpy as np
from cachetools import TTLCache

from serve.parts.engine import Engine
from serve.parts.local import LocalHandle, Turns
from serve.parts.model_parts import EncoderPart, SparsePart, SteeringPart
from serve.parts.retrieval_part import RetrievalPart
from serve.parts.sessions import Sessions
from swiggle.bundle import Bundle
from swiggle.editing.plan import EditPlan
from swiggle.prompts.clauses import read_clauses
from swiggle.prompts.endpoint_reader import reader_from_environment

THREAD_PAYS_FROM = 0.005
"""Seconds that an edit takes from which it runs in a thread: on the event loop it would hold up other requests; below
that, the way to a thread and back is what holds them up."""


def blank(bundle: Bundle) -> np.ndarray:
    """A picture uint8 [S, S, 3] to try a part with."""
    return np.zeros((bundle.image_size, bundle.image_size, 3), np.uint8)


def make_engine(bundle: Bundle, **handles: Any) -> Engine:
    """An engine with handles `encoder`, `sparse`, `steering`, `retrieval` and, if it is another, `composing`."""
    vae = {name: digest for name, digest in bundle.manifest["files"].items() if name.startswith("vae/")}
    sessions = Sessions(vae, bundle.vae.latent_shape)
    handles.setdefault("composing", handles["steering"])
    # A language model that fails for a while must not be remembered with what was read in its place.
    if reader_from_environment() is not read_clauses:
        handles["understood"] = TTLCache(maxsize=1, ttl=0)  # holds nothing: what is put in is too old at once
    return Engine(bundle.atlas, bundle.manifest, bundle.image_size, sessions=sessions, **handles)


def local_handles(bundle: Bundle) -> dict[str, LocalHandle]:
    """Encoder, SAE and steering in this process, warmed up. Plans are composed in a thread: long prompts take long."""
    picture = blank(bundle)[None]
    took = []
    for _ in range(5):
        start = time.perf_counter()
        bundle.edit(picture, EditPlan())
        took.append(time.perf_counter() - start)
    turns, in_thread = Turns(), min(took) > THREAD_PAYS_FROM  # the least: what else the machine does is not the model's
    parts = {"encoder": EncoderPart, "sparse": SparsePart, "steering": SteeringPart}
    handles = {name: LocalHandle(part(bundle), turns, in_thread) for name, part in parts.items()}
    composing = SteeringPart(bundle)
    composing.warm_up()
    return handles | {"composing": LocalHandle(composing, Turns(), in_thread=True)}


def local_retrieval(bundle: Bundle, chroma: str | None = None) -> LocalHandle:
    """Retrieval in this process, in a thread, warmed up."""
    retrieval = RetrievalPart(bundle, chroma)
    retrieval.warm_up()
    return LocalHandle(retrieval, Turns(), in_thread=True)


def engine_in_process(bundle: Bundle, chroma: str | None = None) -> Engine:
    """All parts here."""
    return make_engine(bundle, retrieval=local_retrieval(bundle, chroma), **local_handles(bundle))
