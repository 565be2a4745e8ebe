"""Retrieval by itself: does a request find a feature of the trait it names?

A feature is *of* a trait if it detects it with an F1 of at least 0.5 at some threshold (`coverage.THRESHOLDS`). Recall
is over the traits that some feature is of; their share is reported too. Paraphrases say the name of a trait in other
sentences, synonyms say other words for it.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy import sparse

from swiggle.evaluation.coverage import THRESHOLDS, counts, fires, one_hot
from swiggle.evaluation.noun_edit import HELD_OUT_PROMPTS, PROMPTS, Prompts
from swiggle.nouns.sprites import SLOTS, Sprites

OF = 0.5
FIRST = 5
PARAPHRASES: Prompts = {
    "background": ("a {name} backdrop please", "let the wallpaper be {name}", *HELD_OUT_PROMPTS["background"]),
    "body": ("dress it in a {name} top", "I want a {name} torso", *HELD_OUT_PROMPTS["body"]),
    "accessory": (
        "let its accessory be {name}", "could you print {name} on its shirt", *HELD_OUT_PROMPTS["accessory"],
    ),
    "head": ("turn him into a {name}", "swap the face for a {name}", *HELD_OUT_PROMPTS["head"]),
    "glasses": ("wear {name} specs", "try some {name} eyewear on her", *HELD_OUT_PROMPTS["glasses"]),
}  # fmt: skip
SYNONYMS: dict[str, dict[str, tuple[str, ...]]] = {
    "background": {"warm": ("cosy", "warm toned"), "cool": ("cold", "chilly")},
    "body": {
        "blue sky": ("sky blue",), "darkbrown": ("dark brown",), "darkpink": ("dark pink",), "foggrey": ("fog gray",),
        "bluegrey": ("blue gray",), "red": ("crimson",), "purple": ("violet",), "gold": ("golden",),
    },
    "accessory": {
        "chicken": ("hen",), "stains blood": ("blood spatter",), "tie red": ("red necktie",), "flash": ("lightning",),
        "bling gold ingot": ("gold bar",), "snowflake": ("flake of snow",), "lightbulb": ("light bulb",),
        "fries": ("french fries",), "checkers blue": ("blue chequers",), "stripes brown": ("brown stripes",),
        "gradient sunset": ("sunset colours",), "broken heart": ("heartbreak",), "eth": ("ethereum",),
    },
    "head": {
        "car": ("automobile",), "cat": ("kitten", "feline"), "dog": ("puppy", "hound"), "rabbit": ("bunny",),
        "doughnut": ("donut",), "laptop": ("notebook computer",), "trashcan": ("rubbish bin", "garbage can"),
        "taxi": ("cab",), "orca": ("killer whale",), "plane": ("aeroplane",), "helicopter": ("chopper",),
        "dino": ("dinosaur",), "ufo": ("flying saucer",), "hotdog": ("hot dog",), "burger dollarmenu": ("hamburger",),
        "couch": ("sofa",), "backpack": ("rucksack",), "mushroom": ("toadstool",), "piggybank": ("money box",),
        "green snake": ("serpent",), "pirateship": ("pirate ship",), "washingmachine": ("washing machine",),
        "earth": ("globe",), "rock": ("stone",), "saguaro": ("cactus",), "watch": ("wristwatch",), "mug": ("cup",),
        "ghost b": ("spook",), "crown": ("diadem",), "bat": ("flying bat",), "toaster": ("bread toaster",),
        "volcano": ("erupting mountain",), "beer": ("lager",), "skeleton hat": ("bones",), "smile": ("grin",),
    },
    "glasses": {
        "square red": ("red square",), "square blue": ("blue square",), "hip rose": ("pink hip",),
        "square fullblack": ("completely black square",), "deep teal": ("dark teal",), "grass": ("lawn",),
        "square grey light": ("light gray square",), "square smoke": ("smoky square",),
    },
}  # fmt: skip
CHANGES = {
    "raise": ("a little more {name} {place}", "boost the {name} {place}", "turn the {name} {place} up"),
    "lower": ("far less {name} {place}", "tone the {name} {place} down", "the {place} is too {name}"),
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
    """`plain`, `paraphrased` and `synonyms`: share of the requests for covered traits for which one of the first five
    features that a prompt finds is of the trait; `covered`, the share of traits that some feature is of. `search`:
    prompt to features, best first."""
    hits: dict[str, list[bool]] = {"plain": [], "paraphrased": [], "synonyms": []}
    covered = []
    for slot in SLOTS:
        for value, name in enumerate(sprites.names[slot]):
            right = of[slot][:, value]
            covered.append(bool(right.any()))
            if not covered[-1]:
                continue
            asked = {
                "plain": [prompt.format(name=name) for prompt in PROMPTS[slot]],
                "paraphrased": [prompt.format(name=name) for prompt in PARAPHRASES[slot]],
                "synonyms": [PROMPTS[slot][0].format(name=other) for other in SYNONYMS[slot].get(name, ())],
            }
            for kind, prompts in asked.items():
                hits[kind] += [bool(right[list(search(prompt))[:FIRST]].any()) for prompt in prompts]
    return {
        **{kind: float(np.mean(found)) if found else float("nan") for kind, found in hits.items()},
        "covered": float(np.mean(covered)),
    }


def changes_read(read: Callable[[str], Sequence[str]], sprites: Sprites) -> float:
    """Share of requests for more or less of a trait that are read as just that. `read`: prompt to its actions."""
    right = [
        list(read(prompt.format(name=name, place=slot))) == [action]
        for action, prompts in CHANGES.items()
        for prompt in prompts
        for slot in SLOTS
        for name in sprites.names[slot]
    ]
    return float(np.mean(right))
