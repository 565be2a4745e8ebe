"""What every objective offers to the training loop.

An objective says how pre-activations become activations while training, what is minimised, and what else a step does.
Its own state (thresholds, counts of silence) lives in buffers and parameters, so that a checkpoint holds it. The
latents it sees are centred, whitened and scaled (`swiggle/sae/inputs.py`).
"""

from abc import ABC, abstractmethod
from importlib import import_module
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from swiggle.config import SAEConfig
from swiggle.sae.inputs import Inputs, times
from swiggle.sae.model import SparseAutoencoder
from swiggle.sae.objectives import check_objective


def objective_class(name: str) -> "type[Objective]":
    """The class of an objective. Raises `ConfigError` where none is called so."""
    module = import_module(f"swiggle.sae.objectives.{check_objective(name)}")
    (found,) = (
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Objective) and value.__module__ == module.__name__
    )
    return found


def objective_of(config: SAEConfig, samples_per_pass: int) -> "Objective":
    """The objective that the configuration names, with its own fresh state."""
    return objective_class(config.objective)(config, samples_per_pass)


def whitening_of(config: SAEConfig) -> float:
    """How far the inputs of a dictionary are whitened, by its settings and its objective."""
    return 0.0 if objective_class(config.objective).compares_lengths else config.whitening


class Objective(nn.Module, ABC):
    """Subclasses define `forward`; the class attributes say by which knob, and which habits of the field they keep."""

    knob: ClassVar[Literal["l1", "k"]]
    """The setting by which it is made sparser."""

    tied_bias = False
    """Whether the decoder's bias is taken off a latent before it is encoded."""
    unit_norm = False
    """Whether decoder rows are kept at norm 1."""
    compares_lengths = False
    """Whether features compete for a latent by the lengths of what they add, in the finished dictionary too. Whitening
    would change which is longer, so there latents are only centred and scaled."""
    warms_for_the_whole_run = False
    """Whether what asks for sparsity rises over the whole training instead of its first part."""

    def __init__(self, config: SAEConfig, samples_per_pass: int) -> None:
        """`samples_per_pass`: latents in the training set; a feature silent for one whole pass counts as dead."""
        super().__init__()
        self.config = config
        self.samples_per_pass = samples_per_pass

    @abstractmethod
    def forward(self, sae: SparseAutoencoder, latents: Tensor, warmth: float | Tensor) -> dict[str, Tensor]:
        """`loss` and its terms, each a mean over the batch of inputs [N, n], and `l0`. On a GPU nothing may
        wait for it: no `item`, no shape that depends on values.

        `warmth` rises from 0 to 1 over the warm-up and multiplies what asks for sparsity.
        """

    def preactivations(self, sae: SparseAutoencoder, latents: Tensor) -> Tensor:
        return sae.preactivations(latents - sae.b_dec if self.tied_bias else latents)

    @torch.no_grad()
    def before_step(self, sae: SparseAutoencoder) -> None:
        """After the gradients, before the optimiser. With unit rows, a gradient along a row would be undone by the
        normalisation after the step and only mislead Adam, so it is taken off (Bricken et al. 2023)."""
        if self.unit_norm and sae.W_dec.grad is not None:
            along = (sae.W_dec.grad * sae.W_dec).sum(dim=1, keepdim=True)
            sae.W_dec.grad.addcmul_(along, sae.W_dec, value=-1.0)

    @torch.no_grad()
    def after_step(self, sae: SparseAutoencoder) -> None:
        if self.unit_norm:
            sae.W_dec.div_(sae.W_dec.norm(dim=1, keepdim=True).clamp_min(1e-12))

    def threshold(self, sae: SparseAutoencoder) -> Tensor:
        """What a pre-activation must exceed to be an activation, once training is over: [features]."""
        return torch.zeros_like(sae.b_enc)

    @torch.no_grad()
    def folded(self, sae: SparseAutoencoder, inputs: Inputs) -> SparseAutoencoder:
        """The trained autoencoder as a function of raw latents, given that training saw `inputs` of them.

        Tied bias, the map of the inputs and decoder norms (Anthropic, April 2024) move into the weights, so that every
        objective leaves the same kind of artifact: unit decoder rows, activations that are lengths in latent space.
        """
        rows = times(sae.W_dec, inputs.inverse)
        columns = times(sae.W_enc.T, inputs.matrix).T  # the matrix is symmetric
        norms = rows.norm(dim=1).clamp_min(1e-12)
        b_enc = sae.b_enc - sae.b_dec @ sae.W_enc if self.tied_bias else sae.b_enc
        with sae.device:
            result = SparseAutoencoder(sae.config)
        result.W_dec.copy_(rows / norms[:, None])
        result.W_enc.copy_(columns * norms)
        result.b_enc.copy_((b_enc - inputs.mean @ columns) * norms)
        result.b_dec.copy_(times(sae.b_dec, inputs.inverse) + inputs.mean)
        result.threshold.copy_(self.threshold(sae) * norms)
        return result.eval()


def squared_error(reconstruction: Tensor, latents: Tensor) -> Tensor:
    """Summed over dimensions, mean over the batch."""
    return (reconstruction.float() - latents).square().sum(dim=1).mean()


COUNTED = 64
"""Latents of a batch whose active features are counted: counting all would cost a fifth of a step."""


def mean_l0(activations: Tensor) -> Tensor:
    """Active features a latent, of the first of a (random) batch."""
    return (activations.detach()[:COUNTED] > 0).sum() / min(COUNTED, len(activations))
