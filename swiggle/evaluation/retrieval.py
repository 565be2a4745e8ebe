"""Retrieval by itself: does a request find a feature of the trait it names?

A feature is *of* a trait if it detects it with an F1 of at least 0.5 at some threshold (`coverage.THRESHOLDS`). Recall
is over the traits that some feature is of; their share is reported too.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy import sparse

from swiggle.data.sprites import SLOTS, Sprites
from swiggle.evaluation.coverage import THRESHOLDS, counts, fires, one_hot
from swiggle.evaluation.noun_edit import PROMPTS

OF = 0.5
FIRST = 5
PARAPHRASES = {
    "background": ("a {name} backdrop please", "let the wallpaper be {name}"),
    "body": ("dress it in a {name} top", "I want a {name} torso"),
    "accessory": ("let its accessory be {name}", "could you print {name} on its shirt"),
    "head": ("turn him into a {name}", "swap the face for a {name}"),
    "glasses": ("wear {name} specs", "try some {name} eyewear on her"),
}


def features_of(activations: sparse.csr_matrix, traits: np.ndarray, sprites: Sprites) -> dict[str, np.ndarray]:
    """For each slot bool [features, values]. activations: CSR [N, features]; traits int [N, 5]."""
    highest = activations.max(axis=0).toarray().ravel()
    fired = [fires(activations, share * highest) for share in THRESHOLDS]
    found = {}
    for column, slot in enumerate(SLOTS):
        truth = one_hot(traits[:, column], sprites.count(slot))
        found[slot] = np.max([counts(one, truth).f1() for one in fired], axis=0) >= OF
    return found


def recall(search: Callable[[str], Sequence[int]], of: dict[str, np.ndarray], sprites: Sprites) -> dict[str, float]:
    """`plain` and `paraphrased`: share of the covered traits for which one of the first five features that a prompt
    finds is of the trait; `covered`, the share of traits that some feature is of. `search`: prompt to features, best
    first."""
    hits: dict[str, list[bool]] = {"plain": [], "paraphrased": []}
    covered = []
    for slot in SLOTS:
        for value, name in enumerate(sprites.names[slot]):
            right = of[slot][:, value]
            covered.append(bool(right.any()))
            if not covered[-1]:
                continue
            for kind, prompts in (("plain", (PROMPTS[slot],)), ("paraphrased", PARAPHRASES[slot])):
                for prompt in prompts:
                    found = list(search(prompt.format(name=name)))[:FIRST]
                    hits[kind].append(bool(right[found].any()))
    return {**{kind: float(np.mean(found)) for kind, found in hits.items()}, "covered": float(np.mean(covered))}
