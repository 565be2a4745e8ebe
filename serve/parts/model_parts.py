"""The parts of the graph that hold models, as plain classes. Deployments and the fused replica run exactly these."""

import numpy as np
import torch

from swiggle.bundle import Bundle
from swiggle.editing.composer import Picture, PromptPlan
from swiggle.editing.plan import EditPlan
from swiggle.prompts.clauses import Clause
from swiggle.prompts.retrieval import Found
from swiggle.prompts.understanding import Request


class EncoderPart:
    """Pictures to latents."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def encode(self, picture: np.ndarray) -> np.ndarray:
        """uint8 [S, S, 3] to float32 [C, h, w]."""
        return self.bundle.encode(picture[None])[0]


class SparsePart:
    """Latents to feature activations."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def activate(self, latent: np.ndarray) -> np.ndarray:
        """float32 [C, h, w] to float32 [features]."""
        return self.bundle.activations(latent[None])[0]


class SteeringPart:
    """Latents and plans to pictures, and requests to plans; holds the decoder."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def steer(self, latent: np.ndarray, plan: EditPlan, sources: dict[str, np.ndarray]) -> np.ndarray:
        """The edited picture uint8 [S, S, 3]; `sources` are activations of the pictures that swaps name."""
        given = {name: torch.from_numpy(values) for name, values in sources.items()}
        return self.bundle.steering.steer(torch.from_numpy(latent)[None], plan, given)[0]

    def compose(self, requests: list[Request], activations: np.ndarray, latent: np.ndarray) -> PromptPlan:
        """The plan that does what is requested to a picture with activations [features] and latent [C, h, w]."""
        return self.bundle.composer.compose(requests, Picture(activations, latent.ravel()))

    def warm_up(self) -> None:
        """Steer, and compose a plan, so that the first request need not wait for what is worked out once."""
        latent = np.zeros(self.bundle.vae.latent_shape, np.float32)
        self.steer(latent, EditPlan(), {})
        anything = Clause("", "remove", (), self.bundle.atlas.vocabulary.default_place)
        self.compose([Request(anything, Found())], self.bundle.activations(latent[None])[0], latent)
