"""Whose the pixels of pictures are, of the places that captions speak of."""

import numpy as np

from jobs.runtime.stage import say
from swiggle.atlas.attribution import REGISTERED, UNATTRIBUTED, medians_of
from swiggle.atlas.previews import FOOTPRINT
from swiggle.atlas.statistics import FeatureStatistics
from swiggle.captions.vocabulary import Vocabulary
from swiggle.config import RunConfig
from swiggle.data.reading import enlarge, first_with_pictures, read_pictures
from swiggle.storage import join, local_copy

MEDIANS_OF = 50_000
"""Training pictures from which it is learnt what belongs to which place, at most."""
REGISTRATION_OF = 500
"""Held-out pictures on which it is measured whether pictures are registered, at most."""


def own(config: RunConfig, statistics: FeatureStatistics, vocabulary: Vocabulary) -> dict[str, np.ndarray]:
    """Whose the pixels are of the pictures out of which features are taken: `ids` [n], ascending, and `owner` int8 [n,
    32, 32], nobody's where pictures are not registered; `registration` [1], how much they are."""
    ids = statistics.example_ids[:, : config.atlas.ablations]
    with local_copy(join(config.run, "data")) as folder:
        known = read_pictures(folder / "train", FOOTPRINT, min(MEDIANS_OF, config.atlas.caption_pictures))
        shown = read_pictures(folder / "train", FOOTPRINT, ids=np.unique(ids[ids >= 0]))
        held_out = first_with_pictures(folder, "validation", "train")
        others = read_pictures(folder / held_out, FOOTPRINT, REGISTRATION_OF)
    medians = medians_of(enlarge(known.images, FOOTPRINT), known.captions, vocabulary)
    registration = medians.registration(enlarge(others.images, FOOTPRINT), others.captions, vocabulary)
    if registration >= REGISTERED:
        owner = medians.attribute(enlarge(shown.images, FOOTPRINT), shown.captions, vocabulary)
    else:
        owner = np.full((len(shown), FOOTPRINT, FOOTPRINT), UNATTRIBUTED, np.int8)
        if vocabulary.places:
            say("build_atlas", f"pictures are not registered ({registration:.2f}): what features act on is left out")
    order = np.argsort(shown.ids)
    return {"ids": shown.ids[order], "owner": owner[order], "registration": np.array([registration])}
