"""Score a bundle on its held-out pictures, as far as something is known of them.

    python -m jobs.evaluate run=runs/demo

Reads the bundle, `<run>/data` and `<run>/latents`; writes `<run>/evaluation.json`. Of any pictures it scores the
reconstruction beside PCA, and the dictionary; of pictures with captions the labels, and whether edits by a word of the
captions bring pictures nearer to others with the word. Of a composed set edits are scored against the exact truth
besides (NounEdit, for Nouns), and `<run>/edits.png` shows requests that were met and requests that were not. Traits
are read here and nowhere before.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any

import numpy as np
import torch

from jobs.runtime.cluster import driver_device
from jobs.runtime.held_out_scores import HeldOut, tell
from jobs.runtime.stage import run_command
from swiggle.atlas.activations import activations_of
from swiggle.bundle import Bundle
from swiggle.composition import Composition, composition_of
from swiggle.config import RunConfig
from swiggle.data.latents import read_latents
from swiggle.data.reading import read_pictures
from swiggle.editing.composer import FREQUENT, GROUP, Picture, PromptPlan
from swiggle.editing.plan import EditPlan
from swiggle.evaluation.additive import fit_additive
from swiggle.evaluation.dials import dial_curves, monotone_share, named_traits
from swiggle.evaluation.edit_baselines import nearest_label, random_features
from swiggle.evaluation.edit_figures import Shown, draw_edits
from swiggle.evaluation.edit_requests import left_alone, removal, two_slots
from swiggle.evaluation.frequent_values import frequent_values
from swiggle.evaluation.native_pictures import NativePictures, resized
from swiggle.evaluation.retrieval_scores import changes_read, features_of, recall
from swiggle.evaluation.trait_edits import Pairs, draw_pairs, outcomes, score, shares
from swiggle.evaluation.truth import true_traits
from swiggle.prompts.retrieval import retrieve
from swiggle.storage import join, local_path, write_json

PAIRS = 200
REQUESTS = 200
"""Pictures for each of the other kinds of request."""
GROUPS = (1, 2, 4, 8, 16, GROUP)
"""How many features may be raised."""
GROUP_PAIRS = 60
DIALS = 8
"""Pictures on which features are turned."""
FIGURE = 7
"""Requests that were met in the figure, and as many that were not."""
SEED = 2026
Scores = dict[str, float]


class Evaluation:
    """A bundle and the held-out pictures with their traits, at the native size that traits are read at."""

    def __init__(self, config: RunConfig, bundle: Bundle, composition: Composition) -> None:
        self.bundle, self.composition = bundle, composition
        self.native = NativePictures(self.bundle.vae, self.composition.size)
        self.sentences = self.composition.requests.held_out
        self.run = local_path(config.run)
        pictures = read_pictures(self.run / "data/test", self.composition.size)
        self.images, self.traits = pictures.images, true_traits(self.run / "data/test", self.composition, pictures.ids)
        self.replaced: dict[str, np.ndarray] = {}
        """Pictures edited by prompt, uint8 [n, S, S, 3], by slot."""

    def plans(self, pictures: np.ndarray, prompts: Sequence[str]) -> tuple[np.ndarray, list[PromptPlan]]:
        """Latents [n, latent_dim] of pictures and the plan of the prompt for each."""
        latents = self.native.encode(pictures)
        seen = zip(self.bundle.activations(latents), latents, prompts, strict=True)
        return latents, [self.bundle.planner.plan(prompt, Picture(f, z)) for f, z, prompt in seen]

    def steer(self, latents: np.ndarray, plans: Sequence[EditPlan]) -> np.ndarray:
        """Native pictures of latents [n, latent_dim], each with its plan."""
        shaped = torch.from_numpy(latents).view(-1, 1, *self.bundle.vae.latent_shape)
        parts = [self.bundle.steering.steer(z, plan) for z, plan in zip(shaped, plans, strict=True)]
        return resized(np.concatenate(parts), self.composition.size)

    def edit(self, pictures: np.ndarray, prompts: Sequence[str]) -> np.ndarray:
        latents, made = self.plans(pictures, prompts)
        return self.steer(latents, [one.plan for one in made])

    def pairs(self, slot: str, count: int | None = None) -> Pairs:
        """So many pairs, or `PAIRS`."""
        return draw_pairs(self.composition, slot, self.images, self.traits, count or PAIRS, SEED)

    def replacements(self) -> tuple[dict[str, dict[str, Scores]], dict[str, dict[str, Scores]]]:
        """NounEdit by kind of edit and slot, and its `mean` over them; and the same of the requests for frequent values
        alone, of the slots that have some."""
        ids, latents = read_latents(self.run / "latents", "train")
        vectors = fit_additive(latents, true_traits(self.run / "data/train", self.composition, ids), self.composition)
        rng, usable = np.random.default_rng(SEED), np.flatnonzero(self.bundle.atlas.density >= FREQUENT)
        found: dict[str, dict[str, Scores]] = {}
        often: dict[str, dict[str, Scores]] = {}
        for slot in self.composition.slots:
            pairs = self.pairs(slot)
            frequent = frequent_values(self.composition, slot, self.traits)[pairs.asked]
            latents, made = self.plans(pairs.images, pairs.prompts(self.sentences))
            self.replaced[slot] = self.steer(latents, [one.plan for one in made])
            kinds = {
                "prompt": self.replaced[slot],
                "ceiling": self.native.reconstruct(self.composition.render(pairs.true())),
                "supervised": self.native.decode(vectors.moved(slot, latents, pairs.traits, pairs.asked)),
                "nearest_label": self.steer(latents, [nearest_label(one) for one in made]),
                "random": self.steer(latents, [random_features(one, usable, rng) for one in made]),
            }
            for kind, edited in kinds.items():
                each = outcomes(pairs, edited, self.native.decode(latents))
                found.setdefault(kind, {})[slot] = shares(each)
                if frequent.any():
                    scored = {name: values[frequent] for name, values in each.items()}
                    often.setdefault(kind, {})[slot] = shares(scored)
                tell(f"{kind}, {slot}", found[kind][slot])
        for about, table in (("", found), (", frequent values", often)):
            for kind, slots in table.items():
                slots["mean"] = mean_scores(list(slots.values()))
                tell(f"{kind}, mean over slots{about}", slots["mean"])
        return found, often

    def draw(self) -> None:
        """The figure of edits by prompt: of each slot in turn some that are met and some that are not."""
        by_slot: dict[bool, list[list[Shown]]] = {True: [], False: []}
        for slot, edited in self.replaced.items():
            pairs = self.pairs(slot)
            before, true = self.native.reconstruct(pairs.images), self.composition.render(pairs.true())
            exact, prompts = outcomes(pairs, edited, before)["exact"], pairs.prompts(self.sentences)
            for met, listed in by_slot.items():
                rows = np.flatnonzero(exact == met)[:FIGURE]
                listed.append([Shown(prompts[i], before[i], edited[i], true[i], met) for i in rows])
        chosen: list[Shown] = []
        for listed in by_slot.values():
            turns = [edit for turn in zip_longest(*listed) for edit in turn if edit is not None]
            chosen += turns[:FIGURE]
        draw_edits(chosen, self.run / "edits.png")

    def group_sizes(self) -> Scores:
        """Success, mean over slots, by how many features may be raised."""
        planner, found = self.bundle.planner, {}
        composer = planner.composer
        for group in GROUPS:
            planner.composer = replace(composer, group=group)
            scored = [
                score(self.pairs(slot, GROUP_PAIRS), self.edit, self.native.reconstruct, self.sentences)
                for slot in self.composition.slots
            ]
            found[str(group)] = float(np.mean([one["success"] for one in scored]))
        planner.composer = composer
        tell("success by features raised", found)
        return found

    def requests(self) -> dict[str, Scores]:
        chosen = np.random.default_rng(SEED).choice(len(self.images), REQUESTS, replace=len(self.images) < REQUESTS)
        shown = (self.images[chosen], self.traits[chosen], self.edit, self.native.reconstruct)
        found = {
            "two_slots": two_slots(self.composition, *shown, SEED, self.sentences),
            **{f"remove_{slot}": removal(self.composition, slot, *shown) for slot in self.composition.removable},
            "left_alone": left_alone(self.composition, *shown, self.sentences),
        }
        for kind, scores in found.items():
            tell(kind, scores)
        return found

    def retrieval(self) -> Scores:
        codes = activations_of(self.bundle.sae, self.native.encode(self.images))
        planner, vocabulary = self.bundle.planner, self.bundle.atlas.vocabulary

        def search(prompt: str) -> list[int]:
            clauses = planner.reader(prompt, vocabulary)
            return (
                [match.feature for match in retrieve(planner.index, vocabulary, clauses[0]).matched] if clauses else []
            )

        found = recall(search, features_of(codes, self.traits, self.composition), self.composition)
        read = changes_read(
            lambda prompt: [clause.action for clause in planner.reader(prompt, vocabulary)], self.composition
        )
        tell("retrieval, recall of 5", found | {"raise_lower": read})
        return found | {"raise_lower": read}

    def dials(self) -> Scores:
        atlas = self.bundle.atlas
        named = named_traits(self.composition, atlas.words, atlas.places)
        latents = self.native.encode(self.images[:DIALS])
        rows = self.bundle.sae.rows()
        active, units = self.bundle.activations(latents), atlas.mean_activation
        curves = dial_curves(self.composition, self.native.decode, latents, active, rows, units, named)
        found = {"features": float(len(named)), "monotone": monotone_share(list(curves.values()))}
        found["monotone_to_1.5"] = monotone_share(list(curves.values()), 1.5)
        for slot in self.composition.slots:
            mine = [curve for feature, curve in curves.items() if named[feature][0] == slot]
            found[f"monotone_{slot}"] = monotone_share(mine) if mine else float("nan")
        tell("dials", found)
        return found

    def read_back(self) -> float:
        """Share of pictures whose D(E(x)) reads as one that looks like the original."""
        some = self.images[:2000]
        read = self.composition.read(self.native.reconstruct(some))
        return float((self.composition.render(read) == some).all(axis=(1, 2, 3)).mean())


def mean_scores(scores: Sequence[Scores]) -> Scores:
    """The mean of each score."""
    return {name: float(np.mean([one[name] for one in scores])) for name in scores[0]}


def exact_scores(run: Evaluation) -> dict[str, Any]:
    """What the truth of a composed set says, and the figure."""
    every, frequent = run.replacements()
    found: dict[str, Any] = {
        "noun_edit": every,
        "noun_edit_frequent": frequent,
        "requests": run.requests(),
        "retrieval": run.retrieval(),
        "dials": run.dials(),
        "success_by_group": run.group_sizes(),
        "rendered_equal": run.read_back(),
    }
    run.draw()
    return found


def evaluate(config: RunConfig) -> None:
    bundle = Bundle.load(config.run, driver_device(config))
    found = HeldOut(bundle, local_path(config.run) / "data").scores()
    if composition := composition_of(config.data.source):
        found |= exact_scores(Evaluation(config, bundle, composition))
    write_json(join(config.run, "evaluation.json"), found)


if __name__ == "__main__":
    run_command(__doc__, evaluate)
