"""Score a bundle's edits against ground truth (NounEdit) on held-out Nouns.

    python -m jobs.evaluate run=runs/demo

Reads the bundle and `<run>/data`; writes `<run>/evaluation.json`. Traits are read here and nowhere before.
"""

from dataclasses import replace

import numpy as np

from jobs.stage import run_command, say
from swiggle.atlas.activations import activations_of
from swiggle.bundle import Bundle
from swiggle.config import RunConfig
from swiggle.data.pixels import resize
from swiggle.data.reading import read_pictures
from swiggle.data.sprites import SIZE, SLOTS, load_sprites
from swiggle.editing.clauses import read_clauses
from swiggle.editing.planner import GROUP
from swiggle.evaluation.dials import monotone_share, named_traits
from swiggle.evaluation.noun_edit import Pairs, draw_pairs, score
from swiggle.evaluation.reader import TraitReader
from swiggle.evaluation.requests import left_alone, removal, two_slots
from swiggle.evaluation.retrieval import features_of, recall
from swiggle.evaluation.truth import true_traits
from swiggle.storage import join, local_path, write_json

PAIRS = 200
REQUESTS = 100
"""Pictures for each of the other kinds of request."""
GROUPS = (1, 2, 4, 8, 16)
"""How many features may be raised; `GROUP` is what the planner does otherwise."""
GROUP_PAIRS = 40
DIALS = 50
"""Pictures on which features are turned."""
SEED = 2026


class Evaluation:
    """A bundle and the held-out pictures with their traits, at the native size that traits are read at."""

    def __init__(self, config: RunConfig) -> None:
        self.bundle = Bundle.load(config.run)
        self.sprites = load_sprites()
        self.reader = TraitReader(self.sprites)
        test = local_path(join(config.run, "data")) / "test"
        self.traits = true_traits(test, self.sprites)
        self.images = read_pictures(test, SIZE).images

    def decode(self, latents: np.ndarray) -> np.ndarray:
        """Latents [n, latent_dim] to native pictures."""
        shaped = latents.reshape(-1, *self.bundle.vae.latent_shape).astype(np.float32)
        return resized(self.bundle.decode(shaped), SIZE)

    def encode(self, pictures: np.ndarray) -> np.ndarray:
        return self.bundle.encode(resized(pictures, self.bundle.image_size))

    def reconstruct(self, pictures: np.ndarray) -> np.ndarray:
        return self.decode(self.encode(pictures))

    def edit(self, picture: np.ndarray, prompt: str) -> np.ndarray:
        shown = resized(picture[None], self.bundle.image_size)
        return resized(self.bundle.edit(shown, self.bundle.plan(prompt, shown[0])), SIZE)[0]

    def pairs(self, slot: str, count: int) -> Pairs:
        return draw_pairs(self.reader, slot, self.images, self.traits, count, SEED)

    def replacements(self) -> dict[str, dict[str, float]]:
        """NounEdit by slot, and its `mean` over them."""
        found = {}
        for slot in SLOTS:
            found[slot] = score(self.reader, self.pairs(slot, PAIRS), self.edit, self.reconstruct)
            tell(slot, found[slot])
        found["mean"] = {name: float(np.mean([found[slot][name] for slot in SLOTS])) for name in found[SLOTS[0]]}
        tell("mean over slots", found["mean"])
        return found

    def group_sizes(self) -> dict[str, float]:
        """Success, mean over slots, by how many features may be raised."""
        planner = self.bundle.planner
        found = {}
        for group in (*GROUPS, GROUP):
            self.bundle.planner = replace(planner, group=group)
            scores = [
                score(self.reader, self.pairs(slot, GROUP_PAIRS), self.edit, self.reconstruct)["success"]
                for slot in SLOTS
            ]
            found[str(group)] = float(np.mean(scores))
        self.bundle.planner = planner
        tell("success by features raised", found)
        return found

    def requests(self) -> dict[str, dict[str, float]]:
        chosen = np.random.default_rng(SEED).choice(len(self.images), REQUESTS, replace=False)
        shown = (self.images[chosen], self.traits[chosen], self.edit, self.reconstruct)
        found = {
            "two_slots": two_slots(self.reader, *shown, SEED),
            **{f"remove_{slot}": removal(self.reader, slot, *shown) for slot in ("accessory", "head", "glasses")},
            "left_alone": left_alone(self.reader, *shown),
        }
        for kind, scores in found.items():
            tell(kind, scores)
        return found

    def retrieval(self) -> dict[str, float]:
        codes = activations_of(self.bundle.sae, self.encode(self.images).reshape(len(self.images), -1))
        vocabulary = self.bundle.atlas.vocabulary

        def search(prompt: str) -> list[int]:
            clauses = read_clauses(prompt, vocabulary)
            return [match.feature for match in self.bundle.planner.retrieve(clauses[0])[0]] if clauses else []

        found = recall(search, features_of(codes, self.traits, self.sprites), self.sprites)
        tell("retrieval, recall of 5", found)
        return found

    def dials(self) -> dict[str, float]:
        atlas = self.bundle.atlas
        named = named_traits(self.sprites, atlas.words, atlas.places)
        latents = self.encode(self.images[:DIALS])
        share = monotone_share(
            self.reader,
            self.decode,
            latents.reshape(DIALS, -1),
            self.bundle.activations(latents),
            self.bundle.sae.W_dec.detach().numpy(),
            atlas.mean_activation,
            named,
        )
        found = {"features": float(len(named)), "monotone": share}
        tell("dials", found)
        return found

    def read_back(self) -> float:
        """Share of pictures whose D(E(x)) reads as one that looks like the original."""
        some = self.images[:2000]
        return float((self.sprites.render(self.reader.read(self.reconstruct(some))) == some).all(axis=(1, 2, 3)).mean())


def resized(pictures: np.ndarray, size: int) -> np.ndarray:
    return np.stack([resize(picture, size) for picture in pictures])


def tell(kind: str, scores: dict[str, float]) -> None:
    say("evaluate", f"{kind}: " + ", ".join(f"{name} {value:.3g}" for name, value in scores.items()))


def evaluate(config: RunConfig) -> None:
    run = Evaluation(config)
    found = {
        "noun_edit": run.replacements(),
        "requests": run.requests(),
        "retrieval": run.retrieval(),
        "dials": run.dials(),
        "success_by_group": run.group_sizes(),
        "rendered_equal": run.read_back(),
    }
    write_json(join(config.run, "evaluation.json"), found)


if __name__ == "__main__":
    run_command(__doc__, evaluate)
