"""The L1 objective of nested dictionaries: what `l1` and `matryoshka_l1` both compute.

    loss = mean over prefixes of ( mean_x ||x - x^||^2 + l1 * sum_i f_i ||W_dec,i|| )

`by_formula` is that line in PyTorch, to be read and to measure by; training takes `nested_l1`, the same with its
gradient written out. Differentiated by autograd, a step spends most of its time not in matrix products but in casting
weights, and in passes over activations [N, features] for the bias, the mask, the sums and the gradient of the penalty.
Written out, the penalty's gradient, the same for all latents, is the bias of a product; sums are taken in the format of
the activations; each weight is cast once.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from swiggle.sae.model import SparseAutoencoder
from swiggle.sae.objective import COUNTED, mean_l0, squared_error

RARE = 2.5
"""Standard deviations that a pre-activation must be above its mean for a feature to fire before it has learnt anything:
on 0.6% of latents. At 0 every feature fires on half of them and the penalty kills many before they are for anything: of
2,048 features on the latents of `quick` 33% were dead after 30 epochs, at 1.5 21%, at 2.5 11%, at the same coverage."""


@torch.no_grad()
def begin_rare(sae: SparseAutoencoder) -> None:
    """Set the biases so that every feature fires on few latents at first. Inputs have a variance of 1 in the mean of
    all directions, so a pre-activation has the deviation of the norm of its encoder column."""
    sae.b_enc.copy_(-RARE * sae.W_enc.norm(dim=0))


def by_formula(
    sae: SparseAutoencoder, latents: Tensor, ends: Sequence[int], weight: float | Tensor
) -> dict[str, Tensor]:
    """What `nested_l1` gives, differentiated by autograd."""
    activations = torch.relu(sae.preactivations(latents))
    penalties = activations * sae.W_dec.norm(dim=1)
    errors = [squared_error(activations[:, :end] @ sae.W_dec[:end] + sae.b_dec, latents) for end in ends]
    error = torch.stack(errors).mean()
    sparsity = torch.stack([penalties[:, :end].sum(dim=1).mean() for end in ends]).mean()
    return {"loss": error + weight * sparsity, "error": error, "sparsity": sparsity, "l0": mean_l0(activations)}


def nested_l1(
    sae: SparseAutoencoder, latents: Tensor, ends: Sequence[int], weight: float | Tensor
) -> dict[str, Tensor]:
    """`loss`, its terms and `l0`, for latents [N, n] and prefixes that end at `ends`, the last at all features.

    `weight` is l1 as warm as it is by now. Under autocast products are computed in its format, sums in float32.
    """
    loss, error, sparsity, l0 = _NestedL1.apply(latents, sae.W_enc, sae.b_enc, sae.W_dec, sae.b_dec, ends, weight)
    return {"loss": loss, "error": error, "sparsity": sparsity, "l0": l0}


class _NestedL1(torch.autograd.Function):
    """A segment of features, from the end of one prefix to the end of the next, is in all prefixes from its own on."""

    @staticmethod
    def forward(
        ctx: Any,
        latents: Tensor,
        w_enc: Tensor,
        b_enc: Tensor,
        w_dec: Tensor,
        b_dec: Tensor,
        ends: Sequence[int],
        weight: float | Tensor,
    ) -> tuple[Tensor, ...]:
        kind = latents.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else latents.dtype
        segments = [slice(start, end) for start, end in pairwise([0, *ends])]
        count = len(latents)
        norms = w_dec.norm(dim=1)
        with torch.autocast(kind, enabled=False):
            x = latents.to(dtype)
            reconstruction, activations, rows, residuals, totals = b_dec, [], [], [], []
            for segment in segments:
                f = torch.addmm(b_enc[segment].to(dtype), x, w_enc[:, segment].to(dtype)).relu_()
                rows.append(w_dec[segment].to(dtype))
                reconstruction = (f @ rows[-1]) + reconstruction
                residuals.append(reconstruction - latents)
                totals.append(f.sum(dim=0).float())
                activations.append(f)
            error = torch.stack([residual.square().sum() for residual in residuals]).mean() / count
            # Of the prefixes, the share that holds a segment.
            shares = [(len(segments) - place) / len(segments) for place in range(len(segments))]
            penalties = [total @ norms[s] * share for total, s, share in zip(totals, segments, shares, strict=True)]
            sparsity = torch.stack(penalties).sum() / count
            l0 = torch.stack([(f[:COUNTED] > 0).sum() for f in activations]).sum() / min(COUNTED, count)
        ctx.save_for_backward(x, w_dec, norms, *activations, *rows, *residuals, *totals)
        ctx.segments, ctx.shares, ctx.weight, ctx.dtype = segments, shares, weight, dtype
        ctx.mark_non_differentiable(error, sparsity, l0)
        return error + weight * sparsity, error, sparsity, l0

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        x, w_dec, norms, *parts = ctx.saved_tensors
        places = len(ctx.segments)
        activations, rows, residuals, totals = (parts[i * places : (i + 1) * places] for i in range(4))
        of_w_enc, of_w_dec = w_dec.new_empty(w_dec.shape[::-1]), torch.empty_like(w_dec)
        of_b_enc = w_dec.new_empty(len(w_dec))
        pull = torch.zeros_like(residuals[0])
        # From the last segment to the first: each reconstruction pulls at its own and all earlier segments.
        for place in reversed(range(places)):
            segment, f = ctx.segments[place], activations[place]
            pull = pull + residuals[place] * (gradient * 2.0 / (len(x) * places))
            narrow = pull.to(ctx.dtype)
            push = gradient * (ctx.weight * ctx.shares[place] / len(x))
            of_w_dec[segment] = f.T @ narrow
            along = push * totals[place] / norms[segment].clamp_min(1e-12)
            of_w_dec[segment].addcmul_(w_dec[segment], along[:, None])
            of_f = torch.addmm((push * norms[segment]).to(ctx.dtype), narrow, rows[place].T)
            of_z = torch.ops.aten.threshold_backward(of_f, f, 0.0)
            of_w_enc[:, segment] = x.T.contiguous() @ of_z  # a product with a transposed view takes a fifth longer
            of_b_enc[segment] = of_z.sum(dim=0).float()
        return None, of_w_enc, of_b_enc, of_w_dec, pull.sum(dim=0), None, None
