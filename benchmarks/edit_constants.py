"""What moves when a constant of the way from a prompt to a picture moves, so that each is known or goes.

    python -m benchmarks.edit_constants --bundle runs/demo                  # those of reading, retrieving and composing
    python -m benchmarks.edit_constants --bundle runs/demo --labels         # those of labels, made anew for each

For each slot 60 validation pictures are edited by a prompt, with the constant as it is and moved. Printed are success,
preservation and exactness with the change of each, and how likely a change as large is by chance: the two-sided
binomial test over the pairs of which one of the two settings alone is exact (McNemar 1947). Then the same of the
sentences of development (`benchmarks/sentences.py`), three pictures each, which are asked for in many more ways.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from scipy.stats import binomtest

from benchmarks.sentences import Sentences
from swiggle.atlas.activations import activations_of
from swiggle.atlas.caption_labels import label_features
from swiggle.atlas.captioned_latents import captioned_latents
from swiggle.atlas.cards import rule_to_json
from swiggle.atlas.detectors import CaptionedActivations
from swiggle.atlas.entries import made_entries
from swiggle.atlas.index import LabelIndex, open_chroma
from swiggle.bundle import Bundle
from swiggle.data.latents import read_latents
from swiggle.data.pixels import resize
from swiggle.data.reading import captions_of, read_pictures
from swiggle.editing import composer
from swiggle.editing.composer import Picture
from swiggle.evaluation.trait_edits import draw_pairs, outcomes
from swiggle.evaluation.truth import composed, true_traits

SCORES = ("success", "preservation", "exact")
PAIRS, SEED = 60, 7


@dataclass(frozen=True)
class Constant:
    """`name` in the first of the `modules`, which the others import it from, and the values to try."""

    name: str
    values: tuple[Any, ...]
    modules: tuple[str, ...]


EDITING = (
    Constant("MATCH", (0.5, 0.7), ("prompts.retrieval",)),
    Constant("ALSO", (0.1, 0.4), ("prompts.retrieval",)),
    Constant("GROUP", (8, 16, 64), ("editing.composer",)),
    Constant("FREQUENT", (0.0, 1e-4, 2e-3), ("editing.composer",)),
    Constant("BORNE_OUT", (0.1, 0.6, 2.0), ("editing.class_mean_composer",)),
    Constant("OVERLAP", (0.3, 0.8), ("editing.footprints",)),
    Constant("COVERED", (0.1, 0.6), ("editing.footprints",)),
    Constant("CANDIDATES", (48, 192), ("editing.fit",)),
    Constant("_SEEN", (0.0, 1e-2), ("editing.fit",)),
)
LABELS = (
    Constant("BETA", (0.3, 1.0), ("atlas.detectors",)),
    Constant("THRESHOLDS", ((0.0,), (0.0, 0.25, 0.5), (0.0, 0.5)), ("atlas.detectors",)),
    Constant("ALTERNATIVES", (1, 8), ("atlas.rules",)),
    Constant("GAIN", (0.01, 0.1), ("atlas.rules", "atlas.detectors")),
    Constant("SURE", (2.0, 8.0), ("atlas.distinguish",)),
    Constant("AWAY", (0.3, 3.0), ("atlas.distinguish",)),
    Constant("NAMED", (1, 8), ("atlas.label_text",)),
    Constant("MIN_SAID", (3, 30), ("atlas.captioned_latents",)),
    Constant("_RIDGE", (1e-4, 1e-2), ("atlas.captioned_latents",)),
)


@contextmanager
def set_to(constant: Constant, value: Any) -> Iterator[None]:
    """The constant at another value."""
    modules: list[Any] = [import_module(f"swiggle.{module}") for module in constant.modules]
    was = getattr(modules[0], constant.name)
    for module in modules:
        assert getattr(module, constant.name) == was, f"{module.__name__} has another {constant.name}"
        setattr(module, constant.name, value)
    yield
    for module in modules:
        setattr(module, constant.name, was)


class Trial:
    """The pairs, and what prompts do to them."""

    def __init__(self, location: Path) -> None:
        self.bundle, self.run = Bundle.load(location), location
        self.composition = composed("nouns")
        pictures = read_pictures(location / "data/validation", self.composition.size)
        traits = true_traits(location / "data/validation", self.composition, pictures.ids)
        self.pairs = [
            draw_pairs(self.composition, slot, pictures.images, traits, PAIRS, SEED) for slot in self.composition.slots
        ]
        self.latents = [self.bundle.encode(self._resized(pairs.images, self.bundle.image_size)) for pairs in self.pairs]
        self.unedited = [self._resized(self.bundle.decode(latents), self.composition.size) for latents in self.latents]
        self.sentences = Sentences(self.bundle, location, "development")

    def scores(self, bundle: Bundle, index: LabelIndex) -> dict[str, np.ndarray]:
        """Of all pairs, slot after slot, bool [n] each."""
        planner = bundle.planner_with(index)
        planner.composer = replace(planner.composer, group=composer.GROUP)
        found: dict[str, list[np.ndarray]] = {name: [] for name in SCORES}
        for pairs, latents, unedited in zip(self.pairs, self.latents, self.unedited, strict=True):
            prompts = pairs.prompts(self.composition.requests.development)
            seen = zip(prompts, bundle.activations(latents), latents, strict=True)
            plans = [planner.plan(prompt, Picture(active, z.ravel())).plan for prompt, active, z in seen]
            parts = zip(torch.from_numpy(latents).split(1), plans, strict=True)
            edited = np.concatenate([bundle.steering.steer(part, plan) for part, plan in parts])
            scored = outcomes(pairs, self._resized(edited, self.composition.size), unedited)
            for name in SCORES:
                found[name].append(scored[name])
        said = self.sentences.outcomes(planner)
        scores = {name: np.concatenate(values) for name, values in found.items()}
        return scores | {"sentences": np.array([one.asked and one.rest for one in said])}

    @staticmethod
    def _resized(pictures: np.ndarray, side: int) -> np.ndarray:
        return np.stack([resize(picture, side) for picture in pictures])


class Relabelled:
    """The bundle with its labels made anew from its activations and captions."""

    def __init__(self, trial: Trial) -> None:
        self.bundle = trial.bundle
        self.splits: list[CaptionedActivations] = []
        for split in ("train", "validation", "test"):
            ids, latents = read_latents(trial.run / "latents", split)
            order = np.argsort(ids)
            values = activations_of(self.bundle.sae, latents[order])
            self.splits.append(CaptionedActivations(values, captions_of(trial.run / "data" / split, ids[order])))
            if split == "train":
                self.latents = latents[order]

    def make(self) -> tuple[Bundle, LabelIndex, str]:
        """The bundle, its index, and what can be said of the labels in a few numbers."""
        atlas, table = self.bundle.atlas, self.bundle.atlas.table
        highest, unit = table["max_activation"].to_numpy(), atlas.mean_activation
        confidence = self.bundle.manifest["config"]["build_atlas"].get("min_confidence", 0.35)
        acts_on = table["acts_on"].to_pylist()
        labels = label_features(self.splits, highest, atlas.footprint, acts_on, atlas.vocabulary, confidence)
        columns: dict[str, list[Any]] = {
            "label": [label.text for label in labels],
            "words": [label.term for label in labels],
            "place": [label.place for label in labels],
            "rule": [rule_to_json(label.rule) for label in labels],
            "confidence": [label.confidence for label in labels],
        }
        for name, values in columns.items():
            field = table.schema.field(name)
            table = table.set_column(table.schema.get_field_index(name), field, pa.array(values, field.type))
        train = self.splits[0]
        known = {mention for label in labels for mention in label.found_by}
        captioned = captioned_latents(self.latents, train.captions, train.values, unit, known, atlas.vocabulary)
        kept = ("direction", "footprint", "pictures", "samples", "vocabulary")
        made = type(atlas)(table, **{name: getattr(atlas, name) for name in kept}, captioned=captioned)
        bundle = replace(self.bundle, atlas=made)
        named = [label for label in labels if label.place or label.term]
        told = f"{len(named) / len(labels):.2f} labelled, F1 {np.mean([label.f1 for label in named]):.2f}"
        return bundle, LabelIndex(open_chroma(None), made_entries(made)), told


def compared(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> str:
    """Scores after, the change of each, and of `exact` and of the sentences how many are won and lost, with p."""
    shown = [f"{after[name].mean():.3f} ({after[name].mean() - before[name].mean():+.3f})" for name in SCORES]
    return " | ".join([" ".join(shown), *(_won_and_lost(before[name], after[name]) for name in ("exact", "sentences"))])


def _won_and_lost(before: np.ndarray, after: np.ndarray) -> str:
    won, lost = int((after & ~before).sum()), int((before & ~after).sum())
    p = binomtest(won, won + lost).pvalue if won + lost else 1.0
    return f"+{won} -{lost}, p {p:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, default=Path("runs/demo"), help="a run with its data and latents")
    parser.add_argument("--labels", action="store_true")
    parser.add_argument("--only", nargs="*", help="names of constants")
    options = parser.parse_args()
    torch.set_num_threads(1)
    trial = Trial(options.bundle)
    if options.labels:
        relabelled = Relabelled(trial)
        bundle, index, told = relabelled.make()
        before = trial.scores(bundle, index)
    else:
        bundle, index, told = trial.bundle, trial.bundle.open_index(), ""
        before = trial.scores(bundle, index)
    print("as it is:", *(f"{name} {values.mean():.3f} of {len(values)}" for name, values in before.items()), told)
    for constant in LABELS if options.labels else EDITING:
        if options.only and constant.name not in options.only:
            continue
        was = getattr(import_module(f"swiggle.{constant.modules[0]}"), constant.name)
        for value in constant.values:
            with set_to(constant, value):
                if options.labels:
                    bundle, index, told = relabelled.make()
                after = trial.scores(bundle, index)
            place = f"{constant.modules[0]}.{constant.name}"
            print(f"| `{place}` {was} -> {value} | {compared(before, after)} | {told}", flush=True)


if __name__ == "__main__":
    main()
