"""Sparse probing: how well a slot is read from k features a value (Gurnee et al. 2023; SAEBench).

For each value the k features whose mean activation differs most between pictures with and without it are taken; a
softmax regression in which a value's score sees only its own k features is fitted on train. Reported is accuracy
averaged over values (balanced), which a majority guess does not help. Trait columns are for evaluation only.
"""

import numpy as np
import torch
import torch.nn.functional as F
from scipy import sparse

from swiggle.composition import Composition
from swiggle.evaluation.coverage import one_hot

EPOCHS = 10
BATCH = 1_024
FITTED = 12_000
"""Training pictures a probe is fitted to: a few weights a value need no more."""


def sparse_probing(
    train: sparse.csr_matrix,
    train_traits: np.ndarray,
    test: sparse.csr_matrix,
    test_traits: np.ndarray,
    composition: Composition,
    k: int,
) -> dict[str, float]:
    """Balanced accuracy on test by slot. Activations [N, features], traits int [N, slots]."""
    result = {}
    train, train_traits = train[:FITTED], train_traits[:FITTED]
    for column, slot in enumerate(composition.slots):
        values = len(composition.names(slot))
        truth = one_hot(train_traits[:, column], values)
        positives = np.maximum(np.asarray(truth.sum(axis=0)).ravel(), 1)
        inside = (train.T @ truth).toarray()
        total = np.asarray(train.sum(axis=0)).ravel()[:, None]
        difference = np.abs(inside / positives - (total - inside) / np.maximum(train.shape[0] - positives, 1))
        chosen = np.argsort(-difference, axis=0)[:k]  # [k, values]
        used, inverse = np.unique(chosen, return_inverse=True)
        places = torch.from_numpy(inverse.reshape(k, values))
        scale = np.maximum(train.max(axis=0).toarray().ravel()[used], 1e-12)
        inputs = [torch.from_numpy(part[:, used].toarray() / scale).float() for part in (train, test)]
        weights = fit_probe(inputs[0], torch.from_numpy(train_traits[:, column].astype(np.int64)), places, values)
        guessed = (inputs[1] @ weights[:-1] + weights[-1]).argmax(dim=1).numpy()
        right = guessed == test_traits[:, column]
        present = [value for value in range(values) if (test_traits[:, column] == value).any()]
        result[slot] = float(np.mean([right[test_traits[:, column] == value].mean() for value in present]))
    return result


def fit_probe(inputs: torch.Tensor, labels: torch.Tensor, places: torch.Tensor, values: int) -> torch.Tensor:
    """Weights [used + 1, values] (the last row is the bias), zero but at `places` [k, values]."""
    generator = torch.Generator().manual_seed(0)
    mask = torch.zeros(inputs.shape[1] + 1, values).scatter_(0, places, 1.0)
    mask[-1] = 1.0
    weights = torch.zeros_like(mask, requires_grad=True)
    optimizer = torch.optim.Adam([weights], lr=0.1)
    for epoch in range(EPOCHS):
        for group in optimizer.param_groups:
            group["lr"] = 0.1 * (1.0 - epoch / EPOCHS)
        for rows in torch.randperm(len(inputs), generator=generator).split(BATCH):
            masked = weights * mask
            loss = F.cross_entropy(inputs[rows] @ masked[:-1] + masked[-1], labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return (weights * mask).detach()
