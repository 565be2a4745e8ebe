"""Scores of an atlas by true traits, on the bundle made by hand and a toy set of its own slots."""

from pathlib import Path
from typing import Any, cast

import numpy as np

from jobs.report_atlas import by_traits
from swiggle.atlas.atlas import Atlas
from swiggle.evaluation.causal_slots import Readings, read_ablations
from tests.toy_composition import Toy


class NothingChanges:
    """Taking a feature out leaves its pictures as they are."""

    composition = Toy()

    def read(self, features: list[int], pictures: int) -> Readings:
        shown = self.composition.render(self.composition.draw(len(features), 0))
        return read_ablations(self.composition, np.array(features), shown, shown)


def test_an_atlas_in_which_no_label_names_the_subject(hand_folder: Path) -> None:
    """As of a tiny run, or before captions were given: the rest is scored."""
    atlas = Atlas.load(hand_folder / "atlas")
    assert "shape" not in atlas.places
    scores, slots = by_traits(atlas, cast(Any, NothingChanges()))
    assert set(scores) == {"slots", "map"}
    assert len(slots) == len(atlas)
