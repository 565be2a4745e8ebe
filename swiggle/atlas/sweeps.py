"""What happens when a feature is turned: causal sweeps over strengths on a fixed set of pictures.

In each picture the feature is set to strengths from -2 to 2, 1 being its mean activation where it is active. Each
result is decoded and encoded again, which tells what a viewer with the model's own eyes sees of the change:

    seen(s)  = mean over pictures of <E(D(z_s)) - E(D(z_0)), W_dec,i> / a_i        s if all of it can be seen

Within the *safe range* around 0 every further step is still seen, by at least a quarter of what a step on the way to 1
is. Beyond it the picture saturates, or shows something else. Nothing but the model is asked: no caption and no trait.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from swiggle.models.vae import VAE, to_images
from swiggle.sae.model import SparseAutoencoder

STRENGTHS = np.linspace(-2.0, 2.0, 9)
STILL = 0.25
"""How much a step must be seen to be in the safe range, as a share of how much a step between 0 and 1 is."""
CORE = 0.9
"""Share of a footprint whose pixels count as the place where its feature acts."""
SIDE_EFFECTS = 5
"""Other features told of each feature at most."""
SLIGHT = 0.1
"""Strength by which another feature must move to be told."""
_TOGETHER = 16
_ZERO = int(np.flatnonzero(STRENGTHS == 0.0)[0])
_ONE = int(np.flatnonzero(STRENGTHS == 1.0)[0])


@dataclass(frozen=True)
class Sweeps:
    """For n features: `low` and `high` [n], the safe range of strengths; `seen` [n, strengths]; `outside` [n], the
    share of the pixel change at strength 1 that lies off the place where the feature acts; `moved`, for each feature
    the other features that move most at strength 1, as (feature, strength); `strips` uint8 [n, strengths, S, S, 3],
    the first picture at each strength. A feature without a mean activation has a range of 0 to 0."""

    low: np.ndarray
    high: np.ndarray
    seen: np.ndarray
    outside: np.ndarray
    moved: list[list[tuple[int, float]]]
    strips: np.ndarray


@torch.inference_mode()
def sweep(
    vae: VAE, sae: SparseAutoencoder, latents: Tensor, features: np.ndarray, levels: np.ndarray, footprints: np.ndarray
) -> Sweeps:
    """Turn features int [n] on pictures with latents [P, C, h, w]. `levels` [features of the dictionary], the mean
    activation of each; `footprints` [n, 32, 32] of the n features."""
    flat = latents.to(sae.device).flatten(1)
    here = sae.encode(flat)
    parts = []
    for start in range(0, len(features), _TOGETHER):
        some = features[start : start + _TOGETHER]
        parts.append(_turned(vae, sae, flat, here, torch.tensor(some), torch.tensor(levels, device=sae.device)))
    seen, change, strips, moves = (np.concatenate(part) for part in zip(*parts, strict=True))
    low, high = zip(*(safe_range(row) for row in seen), strict=True)
    alive = levels[features] > 0
    outside = np.array([_outside(one, where) for one, where in zip(change, footprints, strict=True)])
    return Sweeps(
        low=np.where(alive, low, 0.0),
        high=np.where(alive, high, 0.0),
        seen=seen,
        outside=np.where(alive, outside, 0.0),
        moved=[_most(row, int(i)) if on else [] for row, i, on in zip(moves, features, alive, strict=True)],
        strips=strips,
    )


def _turned(
    vae: VAE, sae: SparseAutoencoder, flat: Tensor, here: Tensor, some: Tensor, levels: Tensor
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of k features: `seen` [k, strengths]; pixel change at strength 1 [k, S, S]; strips; strengths by which all
    features move at strength 1 [k, features]."""
    rows, unit = sae.W_dec[some], levels[some]
    without = flat[None] - here[:, some].T[..., None] * rows[:, None]  # [k, P, latent_dim]
    steps = torch.tensor(STRENGTHS, dtype=torch.float32, device=unit.device)[:, None] * unit  # [strengths, k]
    turned = without[:, :, None] + steps.T[:, None, :, None] * rows[:, None, None]  # [k, P, strengths, latent_dim]
    pictures = vae.decode(turned.reshape(-1, *vae.latent_shape).to(vae.device)).clamp(-1.0, 1.0)
    again = vae.encode(pictures).mean.reshape(turned.shape).to(sae.device)
    away = again - again[:, :, _ZERO : _ZERO + 1]
    seen = torch.einsum("kpsd,kd->ks", away, rows) / len(flat) / unit.clamp_min(1e-6)[:, None]
    shown = pictures.view(*turned.shape[:3], *pictures.shape[1:])
    change = (shown[:, :, _ONE] - shown[:, :, _ZERO]).abs().mean(dim=(1, 2))
    active = sae.encode(again[:, :, [_ZERO, _ONE]].flatten(0, 2)).view(len(some), len(flat), 2, -1)
    moves = (active[:, :, 1] - active[:, :, 0]).mean(dim=1) / levels.clamp_min(1e-6)
    strips = to_images(shown[:, 0].flatten(0, 1)).reshape(len(some), len(STRENGTHS), *_size(pictures))
    strengths = torch.where(levels > 0, moves, 0.0)
    return seen.cpu().numpy(), change.cpu().numpy(), strips, strengths.cpu().numpy()


def _size(pictures: Tensor) -> tuple[int, int, int]:
    return pictures.shape[2], pictures.shape[3], 3


def safe_range(seen: np.ndarray) -> tuple[float, float]:
    """The strengths around 0 up to which every step is still seen; 0 to 0 where strength 1 is not.

    Between 0 and 1 the whole counts, whatever its halves do: the range holds 1 wherever that is seen."""
    usual = seen[_ONE] - seen[_ZERO]
    good = (np.diff(seen) / np.diff(STRENGTHS) >= STILL * usual) & (usual > 0)
    good[_ZERO:_ONE] = usual > 0
    above = len(good) - _ZERO if good[_ZERO:].all() else int(good[_ZERO:].argmin())
    below = _ZERO if good[:_ZERO].all() else int(good[:_ZERO][::-1].argmin())
    return float(STRENGTHS[_ZERO - below]), float(STRENGTHS[_ZERO + above])


def _outside(change: np.ndarray, footprint: np.ndarray) -> float:
    """Share of a change [S, S] off the fewest cells that hold `CORE` of a footprint [32, 32]."""
    order = np.argsort(-footprint.ravel(), kind="stable")
    held = np.cumsum(footprint.ravel()[order])
    core = np.zeros(footprint.size, bool)
    core[order[: int(np.searchsorted(held, CORE * held[-1])) + 1]] = True
    cells = footprint.shape[0]
    if change.shape[0] % cells:
        at = (np.arange(change.shape[0]) * cells) // change.shape[0]
        wide = core.reshape(cells, cells)[np.ix_(at, at)]
    else:
        wide = core.reshape(cells, cells).repeat(change.shape[0] // cells, 0).repeat(change.shape[0] // cells, 1)
    return float(change[~wide].sum() / max(float(change.sum()), 1e-12))


def _most(moves: np.ndarray, own: int) -> list[tuple[int, float]]:
    """The other features that move most, largest first."""
    order = np.argsort(-np.abs(moves), kind="stable")[: SIDE_EFFECTS + 1]
    return [(int(j), float(moves[j])) for j in order if j != own and abs(moves[j]) >= SLIGHT][:SIDE_EFFECTS]
