"""Feature cards: one Parquet row a feature, with all that was found out about it.

atlas/features.parquet has the columns of `COLUMNS`; atlas/ablations.parquet, which is read by reports only, `id` and
`ablation`, a WebP sheet of three rows (before, after, difference) with a column for each of the first top pictures.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from swiggle.atlas.label import UNEXPLAINED, Label
from swiggle.atlas.statistics import FeatureStatistics
from swiggle.captions.vocabulary import Mention

FEATURES = "features.parquet"
ABLATIONS = "ablations.parquet"
COLUMNS: Mapping[str, str] = {
    "id": "its number",
    "label": "what it means, or `unexplained`",
    "words": "content words of the label, by which it is found",
    "place": "the place of the picture that `words` are said of, or null",
    "acts_on": "the place whose pixels change most when it is taken out, or null; a label begins with it",
    "rule": "JSON: what a caption must say for the label to hold, a list of lists of {place, words}, one of each list",
    "source": "who labelled it: `caption`, `vision` or `unexplained`; labels by hand live beside the bundle",
    "confidence": "F1 of the label expected on captions not seen, 0 to 1, from validation captions",
    "precision": "of the label as a detector on test captions",
    "recall": "likewise",
    "f1": "likewise",
    "threshold": "share of `max_activation` above which it counts as firing for these",
    "density": "share of training pictures on which it fires",
    "mean_activation": "where it fires; strength 1",
    "max_activation": "largest on training pictures",
    "dead": "whether it fires on no training picture",
    "x": "on the map, 0 to 1",
    "y": "likewise",
    "group": "its group on the map: a place, `mixed`, `group n` without captions, or `dead`",
    "slider_low": "the safe range of strengths, from",
    "slider_high": "to",
    "seen": "how much of each strength from -2 to 2 in steps of a half is seen in the picture",
    "side_effect": "share of the pixel change at strength 1 that lies off the place where it acts",
    "side_effect_ids": "other features that move at strength 1, most first",
    "side_effect_strengths": "by how much, in their own strengths",
    "nearest": "ids by cosine of decoder rows",
    "nearest_cofiring": "ids by how often both fire of when one does",
    "example_ids": "training pictures in which it is strongest",
    "example_activations": "its activations there",
    "quantile_example_ids": "pictures from strongest to weakest, one from each of equal parts of those it fires on",
    "histogram": "20 counts of activation / max_activation where it fires",
    "ablation_change": "mean absolute difference, of 255, that taking it out makes to each of the first top pictures",
    "one_hot": "PNG of D(b_dec + W_dec)",
    "natural": "PNG of D(b_dec + a W_dec), a its mean activation",
    "strip": "PNG of one fixed picture at strengths from -2 to 2 in steps of a half, side by side, 32 x 32 each",
}
_DRAWN = (
    "slider_low", "slider_high", "seen", "side_effect", "side_effect_ids", "side_effect_strengths", "ablation_change",
    "one_hot", "natural", "strip",
)  # fmt: skip


@dataclass(frozen=True)
class Places:
    """Where features are: `positions` float32 [features, 2] and `groups` on the map, what each `acts_on`, ids of the
    `nearest` in latent space and of the `cofiring`."""

    positions: np.ndarray
    groups: Sequence[str]
    acts_on: Sequence[str | None]
    nearest: Sequence[Sequence[int]]
    cofiring: Sequence[Sequence[int]]


def write_cards(
    folder: Path,
    statistics: FeatureStatistics,
    labels: Sequence[Label],
    places: Places,
    histogram: np.ndarray,
    drawn: pa.Table,
) -> None:
    """Write both files. `drawn`: one row a feature, in order, with the columns about pictures and sweeps."""
    ids = pa.list_(pa.int64())
    columns: dict[str, Any] = {
        "id": np.arange(len(labels)),
        "label": [label.text for label in labels],
        "words": [label.term for label in labels],
        "place": pa.array([label.place for label in labels], pa.string()),
        "acts_on": pa.array(places.acts_on, pa.string()),
        "rule": [rule_to_json(label.rule) for label in labels],
        "source": [label.source for label in labels],
        **{
            name: np.array([getattr(label, name) for label in labels], np.float32)
            for name in ("confidence", "precision", "recall", "f1", "threshold")
        },
        "density": statistics.density.astype(np.float32),
        "mean_activation": statistics.mean_activation,
        "max_activation": statistics.max_activation,
        "dead": statistics.density == 0,
        "x": places.positions[:, 0],
        "y": places.positions[:, 1],
        "group": pa.array(places.groups, pa.string()),
        "nearest": pa.array(places.nearest, ids),
        "nearest_cofiring": pa.array(places.cofiring, ids),
        "example_ids": pa.array([row[row >= 0] for row in statistics.example_ids], ids),
        "example_activations": pa.array(
            [row[row > 0] for row in statistics.example_activations], pa.list_(pa.float32())
        ),
        "quantile_example_ids": pa.array([row[row >= 0] for row in statistics.quantile_example_ids], ids),
        "histogram": pa.array(list(histogram), ids),
        **{name: drawn[name] for name in _DRAWN},
    }
    pq.write_table(pa.table({name: columns[name] for name in COLUMNS}), folder / FEATURES)
    pq.write_table(drawn.select(["id", "ablation"]), folder / ABLATIONS)


def rule_to_json(rule: Sequence[Sequence[Mention]]) -> str:
    """As in the column `rule`."""
    return json.dumps([[{"place": term.place, "words": term.words} for term in group] for group in rule])


def rule_from_json(text: str) -> list[list[Mention]]:
    """What `rule_to_json` wrote."""
    return [[Mention(term["place"], tuple(term["words"])) for term in group] for group in json.loads(text)]


def explained(labels: Sequence[Label]) -> list[int]:
    """The features that have a label."""
    return [i for i, label in enumerate(labels) if label.text != UNEXPLAINED]
