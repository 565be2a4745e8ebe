"""Everything that true traits say of a code of the latents: a dictionary's activations or a baseline's.

Trait columns are for evaluation only: no dictionary is chosen by these scores.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from swiggle.atlas.activations import activations_of
from swiggle.composition import Composition
from swiggle.evaluation.coverage import coverage
from swiggle.evaluation.monosemanticity import monosemanticity
from swiggle.evaluation.probing import sparse_probing
from swiggle.evaluation.slot_reconstruction import slot_reconstruction
from swiggle.evaluation.uniqueness import uniqueness
from swiggle.sae.model import SparseAutoencoder

PROBED = (1, 2, 5)


@dataclass(frozen=True)
class Code:
    """Activations [N, features] of the train and test latents."""

    train: sparse.csr_matrix
    test: sparse.csr_matrix


def code_of(sae: SparseAutoencoder, train: np.ndarray, test: np.ndarray) -> Code:
    """Of latents [N, latent_dim]."""
    return Code(activations_of(sae, train), activations_of(sae, test))


def code_scores(
    code: Code, train_traits: np.ndarray, test_traits: np.ndarray, composition: Composition
) -> dict[str, Any]:
    """`l0`; `coverage` by slot and its mean, also over frequent values alone; `slot_reconstruction`; `probing` by k
    and slot; `uniqueness`; `monosemanticity`, the mean over features. Traits int [N, slots]."""
    both = (code.train, train_traits, code.test, test_traits, composition)
    by_slot = coverage(*both)
    return {
        "l0": code.test.nnz / code.test.shape[0],
        "coverage": by_slot,
        "mean_coverage": _known_mean([score["coverage"] for score in by_slot.values()]),
        "mean_frequent_coverage": _known_mean([score["frequent"] for score in by_slot.values()]),
        "slot_reconstruction": slot_reconstruction(*both),
        "probing": {str(k): sparse_probing(*both, k) for k in PROBED},
        "uniqueness": uniqueness(code.test, test_traits, composition),
        "monosemanticity": _known_mean(monosemanticity(code.test, test_traits, composition)),
    }


def _known_mean(values: Iterable[float]) -> float:
    """The mean of what is known, NaN of nothing."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
