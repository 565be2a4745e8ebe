"""Logistic regressions find a value that lies in one direction, and only such a one."""

import numpy as np
import torch

from swiggle.composition import composition_of
from swiggle.evaluation.coverage import coverage
from swiggle.evaluation.single_directions import single_directions


def test_values_with_a_direction_of_their_own_are_found_and_others_are_not() -> None:
    torch.set_num_threads(1)
    nouns = composition_of("nouns")
    rng = np.random.default_rng(0)
    traits = nouns.draw(3_000, 0)
    slots = [nouns.slots.index("body"), nouns.slots.index("glasses")]
    bodies = rng.normal(size=(len(nouns.names("body")), 40))
    # Glasses stand in a row on one line, so that no direction tells those in the middle apart.
    line = np.outer(np.arange(len(nouns.names("glasses"))), rng.normal(size=40)) / 4
    latents = (bodies[traits[:, slots[0]]] + line[traits[:, slots[1]]]).astype(np.float32)
    train, test = slice(0, 2_400), slice(2_400, None)
    codes = single_directions(latents[train], traits[train], latents[test], nouns)
    found = coverage(codes[0], traits[train], codes[1], traits[test], nouns)
    assert found["body"]["coverage"] > 0.95
    assert found["glasses"]["coverage"] < 0.5
