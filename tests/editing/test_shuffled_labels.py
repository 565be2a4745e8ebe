"""Labels alone decide what a word means: shuffled over the features, an edit does no better than chance."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from swiggle.atlas.atlas import Atlas
from swiggle.atlas.entries import made_entries
from swiggle.atlas.index import LabelIndex, open_chroma
from swiggle.bundle import Bundle
from swiggle.composition import composition_of
from swiggle.data.reading import read_pictures, read_traits
from swiggle.editing.composer import Picture
from swiggle.evaluation.trait_edits import draw_pairs, score

NOUNS = composition_of("nouns")
LABEL_COLUMNS = ("label", "words", "place", "source", "confidence", "precision", "recall", "threshold")


def shuffled(atlas: Atlas) -> Atlas:
    """The same atlas with whole labels dealt to other features."""
    order = np.random.default_rng(0).permutation(len(atlas))
    table = atlas.table
    for name in LABEL_COLUMNS:
        table = table.set_column(table.column_names.index(name), name, table[name].take(order))
    return replace(atlas, table=table)


def head_success(bundle: Bundle, atlas: Atlas, run: Path, chroma: Path) -> float:
    index = LabelIndex(open_chroma(str(chroma)), made_entries(atlas))
    planner = replace(bundle, atlas=atlas).planner_with(index)
    names = read_traits(run / "data/test", NOUNS.slots)
    traits = np.stack([[NOUNS.names(slot).index(name) for name in names[slot]] for slot in NOUNS.slots], axis=1)
    images = read_pictures(run / "data/test", 32).images

    def edit(pictures: np.ndarray, prompts: Sequence[str]) -> np.ndarray:
        latents = bundle.encode(pictures)
        seen = [Picture(f, z.ravel()) for f, z in zip(bundle.activations(latents), latents, strict=True)]
        plans = [planner.plan(prompt, one).plan for prompt, one in zip(prompts, seen, strict=True)]
        return np.concatenate([bundle.edit(pictures[i : i + 1], plan) for i, plan in enumerate(plans)])

    pairs = draw_pairs(NOUNS, "head", images, traits, 60, seed=3)
    sentences = NOUNS.requests.development
    return score(pairs, edit, lambda x: bundle.decode(bundle.encode(x)), sentences)["success"]


@pytest.mark.integration
def test_success_needs_the_labels(smoke_run: Path, tmp_path: Path) -> None:
    bundle = Bundle.load(smoke_run)
    assert head_success(bundle, bundle.atlas, smoke_run, tmp_path / "right") >= 0.6
    # Chance is 1 in 254; a few of the shuffled labels fall on a feature that shares the word.
    assert head_success(bundle, shuffled(bundle.atlas), smoke_run, tmp_path / "shuffled") <= 0.1
