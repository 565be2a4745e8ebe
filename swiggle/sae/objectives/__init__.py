"""What a sparse autoencoder can be trained for, one file each, all behind `base.Objective`."""

from swiggle.config import SAEConfig
from swiggle.sae.objectives.base import Objective
from swiggle.sae.objectives.batch_topk import BatchTopK
from swiggle.sae.objectives.jumprelu import JumpReLU
from swiggle.sae.objectives.l1 import L1
from swiggle.sae.objectives.l1_2023 import L1UnitNorm
from swiggle.sae.objectives.matryoshka import Matryoshka
from swiggle.sae.objectives.matryoshka_l1 import MatryoshkaL1
from swiggle.sae.objectives.topk import TopK

OBJECTIVES: dict[str, type[Objective]] = {
    "l1": L1,
    "l1_2023": L1UnitNorm,
    "topk": TopK,
    "batch_topk": BatchTopK,
    "jumprelu": JumpReLU,
    "matryoshka": Matryoshka,
    "matryoshka_l1": MatryoshkaL1,
}


def objective_of(config: SAEConfig, samples_per_pass: int) -> Objective:
    """The objective that the configuration names, with its own fresh state."""
    return OBJECTIVES[config.objective](config, samples_per_pass)
