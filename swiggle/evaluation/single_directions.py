"""What one direction a value can do: logistic regressions on latents, learnt with true traits.

For each value a regression of having it or not gives a direction and an offset; the code of a latent is
ReLU(w . x + b) for each. Scored as a dictionary's features are (`coverage.py`), this is the most that a feature of any
dictionary, which is one direction and one threshold too, can be expected to reach: where it fails, the latent keeps the
value in no single direction. It reads traits: evaluation only.
"""

import numpy as np
import torch
import torch.nn.functional as F
from scipy import sparse

from swiggle.composition import Composition
from swiggle.evaluation.coverage import one_hot
from swiggle.sae.inputs import Inputs

PENALTIES = (1e-7, 1e-5, 1e-3)
"""Of the squared weights, of which the one with the least loss on a held-out tenth of train is taken."""
WHITENING = 0.7
"""Of what the regressions see: it makes directions in which latents vary little as easy to find as others. At 0 the
1,000 steps on all latents of `paper` at once reach 0.86 for the glasses instead of 0.91 at 0.7."""
EPOCHS, BATCH, RATE = 30, 1_024, 0.05


def single_directions(
    train: np.ndarray, traits: np.ndarray, test: np.ndarray, composition: Composition
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Codes [N, values of all slots] of train and test latents [N, d]. Traits int [N, slots] of train."""
    columns = [one_hot(traits[:, i], len(composition.names(slot))) for i, slot in enumerate(composition.slots)]
    truth = sparse.hstack(columns).tocsr()
    inputs = Inputs.of(torch.from_numpy(train), WHITENING)
    seen, other = (inputs(torch.from_numpy(part)) for part in (train, test))
    held = max(1, len(seen) // 10)
    losses = [loss_of(fit(seen[held:], truth[held:], penalty), seen[:held], truth[:held]) for penalty in PENALTIES]
    weights = fit(seen, truth, PENALTIES[int(np.argmin(losses))])
    codes = [torch.relu(part @ weights[:-1] + weights[-1]).numpy() for part in (seen, other)]
    return sparse.csr_matrix(codes[0]), sparse.csr_matrix(codes[1])


def fit(inputs: torch.Tensor, truth: sparse.csr_matrix, penalty: float) -> torch.Tensor:
    """Weights [d + 1, values], the last row the offsets, of all regressions at once."""
    weights = torch.zeros(inputs.shape[1] + 1, truth.shape[1])
    weights[-1] = -3.0  # most values are rare
    weights.requires_grad_()
    optimizer = torch.optim.Adam([weights], lr=RATE)
    generator = torch.Generator().manual_seed(0)
    for epoch in range(EPOCHS):
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1.0 - epoch / EPOCHS)
        for rows in torch.randperm(len(inputs), generator=generator).split(BATCH):
            said = torch.from_numpy(truth[rows.numpy()].toarray())
            logits = inputs[rows] @ weights[:-1] + weights[-1]
            loss = F.binary_cross_entropy_with_logits(logits, said, reduction="none").sum(dim=1).mean()
            optimizer.zero_grad()
            (loss + penalty * weights[:-1].square().sum()).backward()
            optimizer.step()
    return weights.detach()


def loss_of(weights: torch.Tensor, inputs: torch.Tensor, truth: sparse.csr_matrix) -> float:
    """Mean log loss of weights on inputs [N, d]."""
    logits = inputs @ weights[:-1] + weights[-1]
    said = torch.from_numpy(truth.toarray())
    return F.binary_cross_entropy_with_logits(logits, said).item()
