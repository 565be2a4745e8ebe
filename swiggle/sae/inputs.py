"""What a dictionary is trained on: latents centred, in part whitened, and scaled so that a number of them is 1 in size.

    x = (z - m) T,    T = s (C / c + EVEN)^(-whitening / 2)

m is the mean of the latents, C their covariance, c the mean of its eigenvalues, and s such that E||x||^2 = n. An
objective weighs every direction alike, so what varies little is neglected for what varies much, however well it can be
seen: with `whitening` 0 (centred and scaled only) the glasses of a picture, whose colours lie in few and short
directions, have no features of their own beside its head. At 1 all directions vary alike, and what is noise is
explained as well as what is not. The finished dictionary has m and T folded into its weights (`Objective.folded`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from swiggle.errors import ConfigError

EVEN = 0.01
"""Share of the mean variance that every direction is given beside its own, so that one which hardly varies is not made
large. With 0.001 and 0.1 coverage of traits was 0.827 and 0.818 (single runs on the latents of `paper`)."""
LONGEST = 4_096
"""Numbers of a latent up to which it is whitened: the matrix has so many rows and columns, 64 MiB, and its eigenvectors
take a minute or so on one core."""


@dataclass(frozen=True)
class Moments:
    """Of latents: how many, their mean float64 [n], and their covariance float64 [n, n], or where only that is asked
    for their variances [n]."""

    count: int
    mean: np.ndarray
    covariance: np.ndarray

    def __add__(self, other: "Moments") -> "Moments":
        """Of both sets together (Chan, Golub and LeVeque 1979)."""
        count = self.count + other.count
        apart, share = other.mean - self.mean, other.count / count
        between = np.outer(apart, apart) if self.covariance.ndim == 2 else apart * apart
        return Moments(
            count,
            self.mean + share * apart,
            (1 - share) * self.covariance + share * other.covariance + share * (1 - share) * between,
        )


@threadpool_limits.wrap(limits=1)  # the order of a sum, and so its last bit, would depend on the number of threads
def moments_of(latents: np.ndarray, whole: bool = True) -> Moments:
    """Of latents [N, n]; without `whole` only variances."""
    rows = latents.astype(np.float64)
    mean = rows.mean(axis=0)
    rows -= mean
    return Moments(len(rows), mean, rows.T @ rows / len(rows) if whole else np.square(rows).mean(axis=0))


@dataclass(frozen=True)
class Inputs:
    """The map from latents to what is trained on. `mean` [n]; `matrix` and `inverse` [n, n] and symmetric, or
    numbers [] where every direction is treated alike; float32."""

    mean: Tensor
    matrix: Tensor
    inverse: Tensor

    @classmethod
    @threadpool_limits.wrap(limits=1)
    def fit(cls, moments: Moments, whitening: float) -> "Inputs":
        """Raises `ConfigError` for a `whitening` outside 0 to 1, and for latents too long to be whitened."""
        if not 0.0 <= whitening <= 1.0:
            raise ConfigError(f"sae.whitening: {whitening} is not between 0 and 1")
        mean = torch.from_numpy(moments.mean).float()
        if not whitens(len(mean), whitening):
            each = moments.covariance if moments.covariance.ndim == 1 else np.diagonal(moments.covariance)
            size = torch.tensor(float(np.sqrt(each.mean())) or 1.0)
            return cls(mean, 1.0 / size, size)
        variances, directions = np.linalg.eigh(moments.covariance)
        if not (level := variances.mean()) > 0:
            return cls(mean, torch.tensor(1.0), torch.tensor(1.0))  # latents that do not vary
        variances = variances.clip(min=0.0)
        gains = (variances / level + EVEN) ** (-whitening / 2)
        gains /= np.sqrt((gains**2 * variances).mean())
        return cls(
            mean,
            torch.from_numpy((directions * gains) @ directions.T).float(),
            torch.from_numpy((directions / gains) @ directions.T).float(),
        )

    @classmethod
    def of(cls, latents: Tensor, whitening: float) -> "Inputs":
        """Of latents [N, n], on their device."""
        moments = moments_of(latents.cpu().numpy(), whitens(latents.shape[1], whitening))
        return cls.fit(moments, whitening).to(latents.device)

    def to(self, device: torch.device | str) -> "Inputs":
        return Inputs(self.mean.to(device), self.matrix.to(device), self.inverse.to(device))

    def __call__(self, latents: Tensor) -> Tensor:
        """Latents [N, n] as a dictionary is trained on them."""
        return times(latents - self.mean, self.matrix)

    def state(self) -> dict[str, Tensor]:
        return {"mean": self.mean, "matrix": self.matrix, "inverse": self.inverse}

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor]) -> "Inputs":
        return cls(**state)


def whitens(length: int, whitening: float) -> bool:
    """Whether the covariance of latents of so many numbers is needed. Raises `ConfigError` where there are too many."""
    if whitening and length > LONGEST:
        raise ConfigError(f"sae.whitening: latents of {length:,} numbers are too long to whiten; sae.whitening=0")
    return whitening > 0


def times(rows: Tensor, matrix: Tensor) -> Tensor:
    """Rows [..., n] times a matrix [n, n] or a number []."""
    return rows * matrix if matrix.ndim == 0 else rows @ matrix


def mean_to_deviation(moments: Moments) -> float:
    """||m|| / sqrt(E||z - m||^2) of latents that vary: how far they lie from the origin for how much they vary.

    Where it is large, a dictionary that is not centred spends features on the mean, and they die (arXiv 2605.31518).
    """
    spread = moments.covariance if moments.covariance.ndim == 1 else np.diagonal(moments.covariance)
    return float(np.linalg.norm(moments.mean) / np.sqrt(spread.sum()))
