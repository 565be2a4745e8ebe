"""Requests as people write them, scored on a bundle: tests/sentences, which nobody wrote who knew the grammar.

    python -m benchmarks.sentences --bundle runs/demo                   # development: to be read and learnt from
    python -m benchmarks.sentences --bundle runs/demo --set held_out    # never looked at; every scoring is recorded

Each sentence edits three held-out pictures that do not show yet what it asks for (of validation for the development
set, of test for the held-out one). `asked`: every slot that it speaks of reads as asked, or no longer as it did where
something is to go; `rest`: all other slots read as in the unedited reconstruction, as rendered; `exact`: both. Scores
of the held-out set are appended to docs/sentence_scores.json, with the commit and how often the set had been scored.
"""

import argparse
import hashlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from swiggle.bundle import Bundle
from swiggle.data.pixels import resize
from swiggle.data.reading import read_pictures
from swiggle.editing.composer import Picture
from swiggle.editing.planner import Planner
from swiggle.evaluation.truth import composed, true_traits

SENTENCES = Path(__file__).parents[1] / "tests/sentences"
SCORES = Path(__file__).parents[1] / "docs/sentence_scores.json"
PICTURES = 3
SEED = 5
SPLIT = {"development": "validation", "held_out": "test"}


@dataclass(frozen=True)
class Outcome:
    """Of one sentence on one picture."""

    form: str
    text: str
    asked: bool
    rest: bool


class Sentences:
    """The sentences of one set, each with the pictures that it is tried on."""

    def __init__(self, bundle: Bundle, run: Path, name: str) -> None:
        self.bundle, self.composition = bundle, composed("nouns")
        self.content = (SENTENCES / f"{name}.jsonl").read_bytes()
        self.lines: list[dict[str, Any]] = [json.loads(line) for line in self.content.splitlines()]
        pictures = read_pictures(run / "data" / SPLIT[name], self.composition.size)
        traits = true_traits(run / "data" / SPLIT[name], self.composition, pictures.ids)
        self.chosen = [self._without(line, traits) for line in self.lines]
        images = self._resized(pictures.images[np.concatenate(self.chosen)], bundle.image_size)
        self.latents = bundle.encode(images)
        self.before = self.composition.read(self._resized(bundle.decode(self.latents), self.composition.size))

    def outcomes(self, planner: Planner) -> list[Outcome]:
        """Of every sentence on every one of its pictures, in order."""
        texts = [line["text"] for line in self.lines for _ in range(PICTURES)]
        seen = zip(texts, self.bundle.activations(self.latents), self.latents, strict=True)
        plans = [planner.plan(text, Picture(active, z.ravel())).plan for text, active, z in seen]
        parts = zip(torch.from_numpy(self.latents).split(1), plans, strict=True)
        edited = np.concatenate([self.bundle.steering.steer(part, plan) for part, plan in parts])
        read = self.composition.read(self._resized(edited, self.composition.size))
        return [self._outcome(self.lines[row // PICTURES], self.before[row], read[row]) for row in range(len(read))]

    def _outcome(self, line: dict[str, Any], before: np.ndarray, after: np.ndarray) -> Outcome:
        sprites, kept_as, wanted = self.composition, before.copy(), after.copy()
        asked = True
        for request in line["requests"]:
            column = self.composition.slots.index(request["slot"])
            kept_as[column] = after[column]
            if request["value"] is None:
                asked &= bool(after[column] != before[column])
            else:
                wanted[column] = sprites.names(request["slot"]).index(request["value"])
        look = sprites.render(np.stack([after, wanted, kept_as]))
        return Outcome(line["form"], line["text"], asked and (look[0] == look[1]).all(), (look[0] == look[2]).all())

    def _without(self, line: dict[str, Any], traits: np.ndarray) -> np.ndarray:
        """Rows of pictures that do not show what is asked for."""
        free = np.ones(len(traits), bool)
        for request in line["requests"]:
            slot = request["slot"]
            names, own = self.composition.names(slot), traits[:, self.composition.slots.index(slot)]
            there = "none" if request["value"] is None else request["value"]
            free &= own != names.index(there) if there in names else True
        return np.random.default_rng([SEED, line["id"]]).choice(np.flatnonzero(free), PICTURES, replace=False)

    @staticmethod
    def _resized(pictures: np.ndarray, side: int) -> np.ndarray:
        return np.stack([resize(picture, side) for picture in pictures])


def summary(found: list[Outcome]) -> dict[str, dict[str, float]]:
    """`asked`, `rest` and `exact` by form, and over all."""
    forms = {"all": found} | {form: [o for o in found if o.form == form] for form in sorted({o.form for o in found})}
    return {
        form: {
            "asked": round(float(np.mean([o.asked for o in own])), 4),
            "rest": round(float(np.mean([o.rest for o in own])), 4),
            "exact": round(float(np.mean([o.asked and o.rest for o in own])), 4),
        }
        for form, own in forms.items()
    }


def record(name: str, sentences: Sentences, scores: dict[str, dict[str, float]]) -> None:
    """Append the scores to the file of scores. Exits where the code is not committed."""
    if subprocess.run(["git", "diff", "--quiet", "HEAD"], cwd=SCORES.parent, check=False).returncode:
        raise SystemExit("held-out sentences are scored on committed code alone: what was scored must be found again")
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=SCORES.parent, capture_output=True, text=True, check=True)
    kept = json.loads(SCORES.read_text()) if SCORES.exists() else []
    digest = hashlib.sha256(sentences.content).hexdigest()
    kept.append(
        {
            "set": name,
            "sha256": digest,
            "scored_before": sum(one["sha256"] == digest for one in kept),
            "commit": commit.stdout.strip(),
            "dictionary": sentences.bundle.dictionary,
            "scores": scores,
        }
    )
    SCORES.write_text(json.dumps(kept, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, default=Path("runs/demo"), help="a run with its data")
    parser.add_argument("--set", choices=SPLIT, default="development")
    parser.add_argument("--misses", action="store_true", help="list sentences of development that are not met")
    options = parser.parse_args()
    torch.set_num_threads(1)
    bundle = Bundle.load(options.bundle)
    sentences = Sentences(bundle, options.bundle, options.set)
    found = sentences.outcomes(bundle.planner)
    scores = summary(found)
    for form, values in scores.items():
        print(f"{form:12}", *(f"{name} {value:.3f}" for name, value in values.items()))
    if options.set == "held_out":
        record(options.set, sentences, scores)
    elif options.misses:
        print(*dict.fromkeys(o.text for o in found if not o.asked), sep="\n")


if __name__ == "__main__":
    main()
