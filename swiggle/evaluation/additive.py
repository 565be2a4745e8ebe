"""How additive the latent is: one vector a trait value, learnt with supervision.

The model z = m + sum over slots of v[slot, value] is what a perfect dictionary of traits would be, so its R2 says how
much of a latent traits explain linearly, and edits with its vectors are the bar for edits with features. It reads
trait columns: evaluation only.
"""

from dataclasses import dataclass

import numpy as np

from swiggle.composition import Composition


@dataclass(frozen=True)
class AdditiveModel:
    mean: np.ndarray
    """float64 [d]."""
    vectors: dict[str, np.ndarray]
    """For each slot float64 [values, d]."""

    def predict(self, traits: np.ndarray) -> np.ndarray:
        """Traits int [N, slots] to latents [N, d]."""
        return self.mean + sum(self.vectors[slot][traits[:, column]] for column, slot in enumerate(self.vectors))

    def moved(self, slot: str, latents: np.ndarray, traits: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """Latents [N, ...] of traits int [N, slots], the vector of the slot's value replaced by that of the one asked
        for, int [N]: a supervised edit, float32."""
        vectors = self.vectors[slot]
        step = vectors[asked] - vectors[traits[:, list(self.vectors).index(slot)]]
        return (latents + step.reshape(latents.shape)).astype(np.float32)

    def r2(self, latents: np.ndarray, traits: np.ndarray) -> float:
        """1 - sum ||z - z^||^2 / sum ||z - mean||^2 over latents [N, d] that the model was not fitted to."""
        unexplained = np.square(latents - self.predict(traits)).sum()
        return float(1.0 - unexplained / np.square(latents - self.mean).sum())


def fit_additive(latents: np.ndarray, traits: np.ndarray, composition: Composition) -> AdditiveModel:
    """Least squares over latents [N, d] with traits int [N, slots]; of the many solutions (a constant can move from one
    slot to another) the smallest."""
    sizes = [len(composition.names(slot)) for slot in composition.slots]
    starts = np.cumsum([0, *sizes])
    columns = traits.astype(np.int64) + starts[:-1]
    mean = latents.mean(axis=0, dtype=np.float64)
    # The normal equations from counts: the one-hot matrix itself would be hundreds of columns wide.
    gram = np.zeros((starts[-1], starts[-1]))
    moments = np.zeros((starts[-1], latents.shape[1]))
    for one in range(len(composition.slots)):
        np.add.at(moments, columns[:, one], latents - mean)
        for other in range(len(composition.slots)):
            np.add.at(gram, (columns[:, one], columns[:, other]), 1.0)
    solution = np.linalg.lstsq(gram, moments, rcond=1e-10)[0]
    return AdditiveModel(mean, dict(zip(composition.slots, np.split(solution, starts[1:-1]), strict=True)))
