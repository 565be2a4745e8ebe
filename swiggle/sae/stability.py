"""Do two dictionaries, trained from different seeds, find the same features?"""

import torch
from scipy.optimize import linear_sum_assignment

from swiggle.sae.model import SparseAutoencoder


def stability(one: SparseAutoencoder, other: SparseAutoencoder) -> float:
    """Mean cosine of decoder rows, matched one to one so that it is largest (Hungarian algorithm); 1 is the same."""
    rows = [torch.nn.functional.normalize(sae.W_dec.detach(), dim=1) for sae in (one, other)]
    cosines = (rows[0] @ rows[1].T).numpy()
    return float(cosines[linear_sum_assignment(-cosines)].mean())
