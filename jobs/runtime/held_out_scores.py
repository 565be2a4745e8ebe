"""What can be said of any bundle on its held-out pictures, whether anything is known of them or not.

Reconstruction beside PCA and the dictionary's figures need pictures alone; labels need captions, and edits by words
captions with words that come back. What is left out says why.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from jobs.runtime.stage import say
from swiggle.bundle import Bundle
from swiggle.data.reading import count_pictures, enlarge, read_captions, read_pictures
from swiggle.data.splits import SPLITS
from swiggle.editing.composer import Picture
from swiggle.editing.plan import EditPlan
from swiggle.evaluation.atlas_measures import label_measures
from swiggle.evaluation.pca_reconstruction import pca_reconstruction
from swiggle.evaluation.picture_embedding import EmbeddingMissing, PictureEmbedding
from swiggle.evaluation.word_edits import CaptionWords, Nearness, frequent_words, summarised
from swiggle.models.reconstruction import reconstruct
from swiggle.sae.metrics import dictionary_metrics

STAGE = "evaluate"
HELD_OUT = 2_000
"""Pictures of validation and test that are looked at, at most: more take time in proportion."""
TRAIN = 20_000
"""Training pictures that PCA learns from, at most."""
WORDS = 40
"""Words that are asked for, at most; drawn of those that are frequent enough."""
PICTURES = 20
"""Pictures that each word is asked of, at most."""
UNKNOWN = ("zorblax", "quibberton", "vlimmerish", "snorfelated")
"""Words of no language. Those that captions do have are left out."""
EXACT = 100.0
"""What is written, in dB, where pictures come back to the bit: JSON has no infinity."""
SEED = 2026
Embed = Callable[[np.ndarray], np.ndarray]
"""Pictures uint8 [N, S, S, 3] to vectors [N, d]."""


@dataclass(frozen=True)
class WordEdits:
    """Edits by one word: `of`, which of the held-out pictures were edited, and the `pictures` that came of it; `acted`,
    whether the plan did anything."""

    of: np.ndarray
    pictures: np.ndarray
    acted: np.ndarray


class HeldOut:
    """A bundle and the pictures that it was not trained on."""

    def __init__(self, bundle: Bundle, data: Path) -> None:
        self.bundle, self.data = bundle, data
        parts = [
            read_pictures(data / split, bundle.image_size, HELD_OUT // 2)
            for split in ("validation", "test")
            if count_pictures(data / split)
        ]
        side = bundle.image_size
        self.images = np.concatenate(
            [np.zeros((0, side, side, 3), np.uint8), *(enlarge(p.images, side) for p in parts)]
        )
        self.captions = [caption for part in parts for caption in part.captions]

    def scores(self) -> dict[str, Any]:
        """`reconstruction`, `dictionary`, `labels` and `words`, as far as there is something to score them with."""
        if not len(self.images):
            say(STAGE, "no pictures are held out: nothing can be scored")
            return {}
        found: dict[str, Any] = {"reconstruction": self.reconstruction(), "dictionary": self.dictionary()}
        if not any(self.captions):
            say(STAGE, "held-out pictures have no captions: labels and edits by words are not scored")
            return found
        return found | {"labels": self.labels(), "words": self.words()}

    def reconstruction(self) -> dict[str, float]:
        """Of held-out pictures by the VAE, and by PCA of the training pictures with as many numbers."""
        own = reconstruct(self.bundle.vae, self.images).scores
        side = self.bundle.image_size
        train = enlarge(read_pictures(self.data / "train", side, TRAIN).images, side)
        by_pca = pca_reconstruction(train, self.images, int(np.prod(self.bundle.vae.latent_shape)))
        found = {"psnr": min(own["psnr"], EXACT), "psnr_of_pca": min(by_pca["psnr"], EXACT)}
        found |= {"right": own["pixels_within_16"], "right_of_pca": by_pca["pixels_within_16"]}
        tell("reconstruction", found)
        return found

    def dictionary(self) -> dict[str, float]:
        known = dictionary_metrics(self.bundle.sae, torch.from_numpy(self._latents))
        found = {name: value for name in ("fvu", "l0", "dead") if isinstance(value := known[name], float)}
        tell("dictionary", found)
        return found

    def labels(self) -> dict[str, float]:
        atlas = self.bundle.atlas
        found = label_measures(atlas.labels, atlas.table["f1"].to_numpy(), atlas.density > 0, atlas.confidence)
        tell("labels", found)
        return found

    def words(self) -> dict[str, Any]:
        """Edits by "make it <word>": the means over words of each embedding, and each word's own."""
        spoken = [caption for split in SPLITS for caption in read_captions(self.data / split)[1]]
        known = CaptionWords.of(self.captions, frequent_words(spoken, self.bundle.atlas.vocabulary))
        rng = np.random.default_rng(SEED)
        scored = known.scored()
        asked = sorted(rng.permutation(scored)[:WORDS].tolist())
        found: dict[str, Any] = {"asked": len(asked), "unknown_changed": self._unknown(spoken, rng)}
        if not asked:
            say(STAGE, "no word stands in captions often enough to be scored: edits by words are left out")
            return found
        edits = {word: self._edits(word, np.flatnonzero(~known.have(word)), rng) for word in asked}
        found["acted"] = float(np.mean([edit.acted.mean() for edit in edits.values()]))
        tell("words", found)
        for name, embed in self._embeddings().items():
            nearness = Nearness(embed(self.images), embed(self.bundle.decode(self._shaped)), known)
            found[name] = self._measured(nearness, edits, embed)
            for kind, scores in found[name].items():
                if kind != "by_word":
                    tell(f"words, {name}, {kind}", scores)
        return found

    def _measured(self, nearness: Nearness, edits: dict[str, WordEdits], embed: Embed) -> dict[str, Any]:
        """`prompt`, and of these edits those whose plan did anything, `prompt_that_acted`; `random`, edits by other
        words that never stand beside the word; `none`, the pictures before the edit; `ceiling`, pictures with the word:
        mean ranks. `kept`, how far other words of the pictures are left alone; and `by_word`."""
        known = nearness.words
        together, number = known.together(), {word: i for i, word in enumerate(known.words)}
        embedded = {word: embed(edit.pictures) for word, edit in edits.items()}
        ranks: dict[str, dict[str, np.ndarray]] = {
            kind: {} for kind in ("prompt", "prompt_that_acted", "random", "none", "ceiling")
        }
        kept = []
        for word, edit in edits.items():
            ranks["prompt"][word] = nearness.ranks(embedded[word], edit.of, word)
            if edit.acted.any():
                ranks["prompt_that_acted"][word] = ranks["prompt"][word][edit.acted]
            ranks["none"][word] = nearness.ranks(nearness.drawn[edit.of], edit.of, word)
            ranks["ceiling"][word] = nearness.ceiling(word)
            kept.append(nearness.kept(embedded[word], edit.of, word, together))
            others = [
                nearness.ranks(embedded[other][without], edits[other].of[without], word)
                for other in edits
                if not together[number[word], number[other]]
                if (without := edits[other].acted & ~known.have(word)[edits[other].of]).any()
            ]
            if others:
                ranks["random"][word] = np.concatenate(others)
        found: dict[str, Any] = {kind: summarised(list(of.values())) for kind, of in ranks.items() if of}
        if changes := np.concatenate(kept).tolist():
            found["kept"] = {"change_of_rank": float(np.mean(changes))}
        found["by_word"] = {
            word: {kind: float(of[word].mean()) for kind, of in ranks.items() if word in of} for word in edits
        }
        return found

    def _edits(self, word: str, usable: np.ndarray, rng: np.random.Generator) -> WordEdits:
        of = np.sort(rng.permutation(usable)[:PICTURES])
        plans = self._plans(f"make it {word}", of)
        latents = torch.from_numpy(self._shaped[of])
        steered = [self.bundle.steering.steer(z[None], plan) for z, plan in zip(latents, plans, strict=True)]
        return WordEdits(of, np.concatenate(steered), np.array([bool(plan.operations) for plan in plans]))

    def _unknown(self, spoken: Sequence[str | None], rng: np.random.Generator) -> float:
        """The share of edits by words of no language that do anything."""
        everything = " ".join(caption or "" for caption in spoken).lower()
        of = rng.permutation(len(self.images))[:PICTURES]
        plans = [plan for word in UNKNOWN if word not in everything for plan in self._plans(f"make it {word}", of)]
        return float(np.mean([bool(plan.operations) for plan in plans])) if plans else 0.0

    def _plans(self, prompt: str, of: np.ndarray) -> list[EditPlan]:
        planner, flat = self.bundle.planner, self._latents
        requests = planner.understand(prompt)
        active = self.bundle.activations(self._shaped[of])
        pictures = [Picture(f, z) for f, z in zip(active, flat[of], strict=True)]
        return [planner.composer.compose(requests, picture).plan for picture in pictures]

    def _embeddings(self) -> dict[str, Embed]:
        """`latent`, the model's own; `picture`, one that knows nothing of it."""
        found: dict[str, Embed] = {"latent": lambda pictures: self.bundle.encode(pictures).reshape(len(pictures), -1)}
        try:
            found["picture"] = PictureEmbedding().embed
        except EmbeddingMissing as missing:
            say(STAGE, f"edits by words are scored in the model's own latent alone: {missing}")
        return found

    @cached_property
    def _shaped(self) -> np.ndarray:
        """Latents of the held-out pictures, [N, C, h, w]."""
        return self.bundle.encode(self.images)

    @property
    def _latents(self) -> np.ndarray:
        return self._shaped.reshape(len(self._shaped), -1)


def tell(kind: str, scores: dict[str, float]) -> None:
    say(STAGE, f"{kind}: " + ", ".join(f"{name} {value:.3g}" for name, value in scores.items()))
