"""Whether prompts still lead to the same plans and pictures, and what one costs, after a change that is about speed.

    python -m benchmarks.same_plans --bundle runs/demo --write /tmp/plans.json      # before
    python -m benchmarks.same_plans --bundle runs/demo --against /tmp/plans.json    # after

Each prompt is planned on one of the test pictures, and once without a picture. Plans, reasons and edited pictures must
be the same to the last digit.
"""

import argparse
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from serve.parts.model_parts import EncoderPart, SparsePart, SteeringPart
from serve.parts.retrieval_part import RetrievalPart
from swiggle.bundle import Bundle
from swiggle.data.reading import read_pictures
from swiggle.editing.plan import EditPlan
from swiggle.evaluation.truth import composed

SEVERAL = (
    "give it a {0} head, and less {1} on the shirt",
    "swap the {0} for a {1} without the glasses",
    "a {0} head with {1} glasses on a warm background, no print",
    "a bit more {0}, then remove the {1}",
    "turn the {0} into a {1}; less red",
    "take off the {0} and the glasses",
    "{0} instead of {1}",
    "make it {0}er, without {1}",
)
ALONE = (
    "remove the glasses", "without the crown", "more blue on its body", "redder glasses", "less red on the shirt",
    "remove the head", "no print", "take off the hat", "", "please make it", "hexagonal xylophone gloop", "darker",
    "too dark", "turn the blue up", "half as much red", "keep the hat", "a cold background", "make it cooler",
    "remove the shark", "no pizza", "without the watermelon on the shirt", "erase the print and the glasses",
)  # fmt: skip


def prompts(labels: list[str]) -> Iterator[str]:
    """Some 600 prompts: the sentences of development and others with every third label in them, and some alone."""
    yield from ALONE
    said = composed("nouns").requests.development
    sentences = [sentence for listed in said.values() for sentence in listed]
    for number, label in enumerate(labels[::3]):
        yield sentences[number % len(sentences)].format(name=label)
        yield SEVERAL[number % len(SEVERAL)].format(label, labels[(7 * number + 1) % len(labels)])


def answers(bundle: Bundle, location: str, pictures: int) -> dict[str, Any]:
    """What every prompt leads to, and milliseconds of planning it anew and again."""
    encoder, sparse, steering = EncoderPart(bundle), SparsePart(bundle), SteeringPart(bundle)
    retrieval = RetrievalPart(bundle)
    images = read_pictures(Path(location, "data/test"), bundle.image_size, limit=pictures).images
    labels = [label for label in dict.fromkeys(bundle.atlas.labels) if label != "unexplained"]
    retrieval.understand("give it a red hat")
    steering.warm_up()
    found: dict[str, Any] = {}
    spent: dict[str, list[float]] = {"new": [], "again": []}
    for number, prompt in enumerate(prompts(labels)):
        latent = encoder.encode(images[number % len(images)])
        activations = sparse.activate(latent)
        for took in spent.values():
            start = time.perf_counter()
            made = steering.compose(retrieval.understand(prompt), activations, latent)
            took.append(1e3 * (time.perf_counter() - start))
        with retrieval._asking() as planner:
            unseen = planner.plan(prompt)
        edited = steering.steer(latent, made.plan, {})
        found[f"{number}: {prompt}"] = {
            "plan": _moves(made.plan),
            "reasons": [asdict(reason) for reason in made.reasons],
            "without a picture": [_moves(unseen.plan), [asdict(r) for r in unseen.reasons]],
            "picture": hashlib.sha256(edited.tobytes()).hexdigest(),
            "features": hashlib.sha256(sparse.activate(encoder.encode(edited)).tobytes()).hexdigest(),
        }
    for kind, took in spent.items():
        p50, p90 = np.percentile(took, [50, 90])
        print(f"a prompt {kind}: p50 {p50:.2f} ms, 90% {p90:.2f} ms, of {len(took)}")
    return json.loads(json.dumps(found))


def _moves(plan: EditPlan) -> dict[str, Any]:
    """A plan without the id of its dictionary, which says whose features it moves and not how."""
    return plan.model_dump(mode="json", exclude={"dictionary"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default="runs/demo")
    parser.add_argument("--pictures", type=int, default=97)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--against", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    now = answers(Bundle.load(options.bundle), options.bundle, options.pictures)
    if options.write:
        options.write.write_text(json.dumps(now))
    if options.against:
        before = json.loads(options.against.read_text())
        parts = sorted({part for answer in now.values() for part in answer})
        for part in parts:
            other = [prompt for prompt in before if before[prompt][part] != now.get(prompt, {}).get(part)]
            print(f"{part}: {len(before) - len(other)} of {len(before)} the same", *other[:5], sep="\n  ")


if __name__ == "__main__":
    main()
