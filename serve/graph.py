"""The Serve graph: thin deployments over the parts, placed by a typed argument.

    serve deploy serve/config.yaml          # on a cluster
    python -m serve --bundle runs/demo      # on a laptop

`fused` runs encoder, SAE, steering and decoder inside the Gateway's replica, so that a slider step crosses no process
boundary, with retrieval beside it. `split` makes each part a deployment that scales by itself.
"""

import os
from typing import Any, Literal

import numpy as np
import torch
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict
from ray import serve

from serve.api import create_api
from serve.engine import Engine
from serve.local import LocalHandle
from serve.parts import EncoderPart, RetrievalPart, SparsePart, SteeringPart
from swiggle.bundle import Bundle
from swiggle.editing.plan import EditPlan


class Arguments(BaseModel):
    """What `serve/config.yaml` may set under `args`."""

    model_config = ConfigDict(extra="forbid")

    bundle: str
    """A local folder, `hf://owner/name` or any URI that pyarrow's filesystems understand."""
    placement: Literal["fused", "split"] = "fused"
    chroma: str | None = None
    """`http://host:port` of a `chroma run` server; by default Chroma runs inside Retrieval."""


def load(location: str) -> Bundle:
    torch.set_num_threads(max(1, int(os.environ.get("OMP_NUM_THREADS", "1"))))
    return Bundle.load(location)


@serve.deployment(max_ongoing_requests=32)
class Encoder(EncoderPart):
    def __init__(self, bundle: str) -> None:
        super().__init__(load(bundle))


@serve.deployment(max_ongoing_requests=32)
class SparseFeatures(SparsePart):
    def __init__(self, bundle: str) -> None:
        super().__init__(load(bundle))


@serve.deployment(max_ongoing_requests=32)
class Steering(SteeringPart):
    def __init__(self, bundle: str) -> None:
        super().__init__(load(bundle))


@serve.deployment(max_ongoing_requests=32)
class Retrieval(RetrievalPart):
    def __init__(self, bundle: str, chroma: str | None) -> None:
        super().__init__(load(bundle), chroma)
        # The first prompt would otherwise pay for the text encoder's warm-up.
        self.search("warm up", 1)


@serve.deployment(max_ongoing_requests=64)
@serve.ingress()
class Gateway:
    """Ingress: validation, sessions, static files; in the fused placement the models too."""

    def __init__(self, location: str, retrieval: Any, parts: dict[str, Any] | None = None) -> None:
        self.bundle = load(location)
        if parts is None:
            local = {"encoder": EncoderPart, "sparse": SparsePart, "steering": SteeringPart}
            parts = {name: LocalHandle(part(self.bundle)) for name, part in local.items()}
        self.engine = Engine(
            self.bundle.atlas, self.bundle.manifest, self.bundle.image_size, retrieval=retrieval, **parts
        )
        self.check_health()

    def __serve_build_asgi_app__(self) -> FastAPI:
        return create_api(self.engine)

    def check_health(self) -> None:
        """Decode a picture; Serve replaces a replica that cannot."""
        blank = np.zeros((1, self.bundle.image_size, self.bundle.image_size, 3), np.uint8)
        self.bundle.edit(blank, EditPlan())


def build(arguments: Arguments) -> serve.Application:
    """The application that `serve run`, `serve deploy` and `python -m serve` start."""

    def bind(deployment: Any, *values: Any) -> Any:
        return deployment.bind(*values)

    location = arguments.bundle
    retrieval = bind(Retrieval, location, arguments.chroma)
    if arguments.placement == "fused":
        return bind(Gateway, location, retrieval)
    parts = {"encoder": Encoder, "sparse": SparseFeatures, "steering": Steering}
    return bind(Gateway, location, retrieval, {name: bind(part, location) for name, part in parts.items()})
