"""The Serve graph: thin deployments over the parts, placed by a typed argument.

    serve deploy serve/config.yaml          # on a cluster
    python -m serve --bundle runs/demo      # on a laptop

`fused` runs encoder, SAE, steering and decoder inside the Gateway's replica, so that a slider step crosses no process
boundary. Retrieval is in it too where there is one Gateway, and beside several, which thus know the same hand labels.
`split` makes each part a deployment that scales by itself.

A new version starts beside the old one and takes over once it has decoded a picture (max_surge_percent), so an update
of bundle or code loses no request even with one replica of each.
"""

import os
from typing import Any, Literal

import numpy as np
import ray
import torch
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from ray import serve

from serve.parts.in_process import blank, local_handles, local_retrieval, make_engine
from serve.parts.model_parts import EncoderPart, SparsePart, SteeringPart
from serve.parts.remote import RemoteHandle, refusals_returned
from serve.parts.retrieval_part import RetrievalPart
from serve.routes.api import create_api
from swiggle.bundle import Bundle
from swiggle.editing.plan import EditPlan

COMMON: dict[str, Any] = {
    "max_surge_percent": 100,
    "health_check_period_s": 5,
    "health_check_timeout_s": 10,
    "graceful_shutdown_timeout_s": 10,
}
PART = COMMON | {"max_ongoing_requests": 8, "max_queued_requests": 128}


class Arguments(BaseModel):
    """What `serve/config.yaml` may set under `args`."""

    model_config = ConfigDict(extra="forbid")

    bundle: str
    """A local folder, `hf://owner/name` or any URI that pyarrow's filesystems understand."""
    placement: Literal["fused", "split"] = "fused"
    chroma: str | None = None
    """`http://host:port` (or `https://`) of a `chroma run` server; by default Chroma runs inside Retrieval."""
    gateways: int = Field(default=1, ge=1)
    """Replicas of the Gateway. With two, the requests of one that dies go to the other."""
    gpus: float = Field(default=0.0, ge=0.0)
    """Of a GPU, what each replica gets that holds a model: a Gateway if `fused`, else Encoder, SparseFeatures and
    Steering each."""


def load(location: str) -> Bundle:
    torch.set_num_threads(max(1, int(os.environ.get("OMP_NUM_THREADS", "1"))))
    # That a GPU can be seen does not say that it was given to this replica.
    granted = ray.get_gpu_ids() and torch.cuda.is_available()
    return Bundle.load(location, "cuda" if granted else "cpu")


@serve.deployment(**PART)
class Encoder(EncoderPart):
    def __init__(self, bundle: str) -> None:
        super().__init__(load(bundle))
        self.check_health()

    def check_health(self) -> None:
        self.encode(blank(self.bundle))


@serve.deployment(**PART)
class SparseFeatures(SparsePart):
    def __init__(self, bundle: str) -> None:
        super().__init__(load(bundle))
        self.check_health()

    def check_health(self) -> None:
        self.activate(np.zeros(self.bundle.vae.latent_shape, np.float32))


@serve.deployment(**PART)
class Steering(SteeringPart):
    def __init__(self, bundle: str) -> None:
        super().__init__(load(bundle))
        self.warm_up()

    def check_health(self) -> None:
        """Decode a picture; Serve replaces a replica that cannot."""
        self.steer(np.zeros(self.bundle.vae.latent_shape, np.float32), EditPlan(), {})


@serve.deployment(**PART | {"max_ongoing_requests": 32})  # they take turns; a full replica is asked again ever later
class Retrieval(RetrievalPart):
    def __init__(self, bundle: str, chroma: str | None) -> None:
        super().__init__(load(bundle), chroma)
        self.warm_up()

    understand = refusals_returned(RetrievalPart.understand)
    search = refusals_returned(RetrievalPart.search)
    put_labels = refusals_returned(RetrievalPart.put_labels)


@serve.deployment(**COMMON, max_ongoing_requests=1024)  # refusals are serve.runtime.admission's, in the API's shape
@serve.ingress()
class Gateway:
    """Ingress: validation, sessions, static files. The parts that `parts` does not name run here too."""

    def __init__(self, location: str, chroma: str | None, parts: dict[str, Any]) -> None:
        self.bundle = load(location)
        handles: dict[str, Any] = {name: RemoteHandle(handle) for name, handle in parts.items()}
        if "retrieval" not in parts:
            handles["retrieval"] = local_retrieval(self.bundle, chroma)
        if "steering" not in parts:
            handles |= local_handles(self.bundle)
        self.engine = make_engine(self.bundle, **handles)
        self.check_health()

    def __serve_build_asgi_app__(self) -> FastAPI:
        return create_api(self.engine, answer_request_ids=False)

    def check_health(self) -> None:
        """Decode a picture; Serve replaces a replica that cannot."""
        self.bundle.edit(blank(self.bundle)[None], EditPlan())


def build(arguments: Arguments) -> serve.Application:
    """The application that `serve run`, `serve deploy` and `python -m serve` start."""

    def bind(deployment: Any, *values: Any) -> Any:
        return deployment.bind(*values)

    location, chroma = arguments.bundle, arguments.chroma
    deployment: Any = Gateway
    share = {"ray_actor_options": {"num_gpus": arguments.gpus}}
    split = arguments.placement == "split"
    gateway = deployment.options(num_replicas=arguments.gateways, **({} if split else share))
    parts = {}
    if split:
        apart: dict[str, Any] = {"encoder": Encoder, "sparse": SparseFeatures, "steering": Steering}
        parts = {name: bind(part.options(**share), location) for name, part in apart.items()}
    if parts or arguments.gateways > 1:
        parts["retrieval"] = bind(Retrieval, location, chroma)
    return bind(gateway, location, chroma, parts)
