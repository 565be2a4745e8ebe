"""Retrieval by itself: does a request find a feature of the trait it names?

A feature is *of* a trait if it detects it with an F1 of at least 0.5 at some threshold (`coverage.THRESHOLDS`). Recall
is over the traits that some feature is of; their share is reported too. Paraphrases say the name of a trait in other
sentences, synonyms say other words for it.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy import sparse

from swiggle.composition import Composition
from swiggle.evaluation.coverage import THRESHOLDS, counts, fires, one_hot

OF = 0.5
FIRST = 5
CHANGES = {
    "raise": ("a little more {name} {place}", "boost the {name} {place}", "turn the {name} {place} up"),
    "lower": ("far less {name} {place}", "tone the {name} {place} down", "the {place} is too {name}"),
}


def features_of(activations: sparse.csr_matrix, traits: np.ndarray, composition: Composition) -> dict[str, np.ndarray]:
    """For each slot bool [features, values]. activations: CSR [N, features]; traits int [N, slots]."""
    highest = activations.max(axis=0).toarray().ravel()
    fired = [fires(activations, share * highest) for share in THRESHOLDS]
    found = {}
    for column, slot in enumerate(composition.slots):
        truth = one_hot(traits[:, column], len(composition.names(slot)))
        found[slot] = np.max([counts(one, truth).f1() for one in fired], axis=0) >= OF
    return found


def recall(
    search: Callable[[str], Sequence[int]], of: dict[str, np.ndarray], composition: Composition
) -> dict[str, float]:
    """`plain`, `paraphrased` and `synonyms`: share of the requests for covered traits for which one of the first five
    features that a prompt finds is of the trait; `covered`, the share of traits that some feature is of. `search`:
    prompt to features, best first."""
    hits: dict[str, list[bool]] = {"plain": [], "paraphrased": [], "synonyms": []}
    covered, said = [], composition.requests
    for slot in composition.slots:
        for value, name in _shown(composition, slot):
            right = of[slot][:, value]
            covered.append(bool(right.any()))
            if not covered[-1]:
                continue
            asked = {
                "plain": [prompt.format(name=name) for prompt in said.development[slot]],
                "paraphrased": [prompt.format(name=name) for prompt in said.paraphrases[slot] + said.held_out[slot]],
                "synonyms": [
                    said.development[slot][0].format(name=other) for other in said.synonyms.get(slot, {}).get(name, ())
                ],
            }
            for kind, prompts in asked.items():
                hits[kind] += [bool(right[list(search(prompt))[:FIRST]].any()) for prompt in prompts]
    return {
        **{kind: float(np.mean(found)) if found else float("nan") for kind, found in hits.items()},
        "covered": float(np.mean(covered)),
    }


def changes_read(read: Callable[[str], Sequence[str]], composition: Composition) -> float:
    """Share of requests for more or less of a trait that are read as just that. `read`: prompt to its actions."""
    right = [
        list(read(prompt.format(name=name, place=slot))) == [action]
        for action, prompts in CHANGES.items()
        for prompt in prompts
        for slot in composition.slots
        for _, name in _shown(composition, slot)
    ]
    return float(np.mean(right))


def _shown(composition: Composition, slot: str) -> list[tuple[int, str]]:
    """The values of a slot with their names, but for the one that shows nothing: no one looks for more of that."""
    return [pair for pair in enumerate(composition.names(slot)) if pair[0] != composition.nothing(slot)]
