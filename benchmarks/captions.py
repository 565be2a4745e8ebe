"""What it takes to learn from free captions: seconds and peak memory of the vocabulary, labels, caption coverage and
class means.

python -m benchmarks.captions                                # 100,000 captions, 2,048 features
python -m benchmarks.captions 20000 --features 512 --steps labels

Captions of 10 to 30 words are made up: words follow Zipf's law, each picture has one of some topics, from which half of
its words come, and adjectives stand before nouns of theirs. Activations are random and sparse, but for some features
that fire on a topic. Each step runs in a process of its own, so that its peak is its own.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
from scipy import sparse

from swiggle.atlas.caption_coverage import caption_coverage
from swiggle.atlas.caption_labels import label_features
from swiggle.atlas.captioned_latents import captioned_latents
from swiggle.atlas.detectors import CaptionedActivations
from swiggle.captions.vocabulary import Vocabulary

WORDS, TOPICS, OF_TOPIC = 20_000, 200, 40
L0, LATENT_DIM = 40, 256
NAMES = ("nothing", "labels", "coverage", "class_means")
LINKS = ("a", "the", "of", "on", "with", "and", "in", "at")


def captions_and_topics(count: int, rng: np.random.Generator) -> tuple[list[str | None], np.ndarray]:
    """So many captions, and the topic of each."""
    share = 1.0 / np.arange(1, WORDS + 1)
    words = np.array([f"w{i}" for i in range(WORDS)])
    of_topic = np.random.default_rng(1).integers(WORDS, size=(TOPICS, OF_TOPIC))  # the same in every split
    topics = rng.integers(TOPICS, size=count)
    made: list[str | None] = []
    for topic in topics:
        length = int(rng.integers(10, 31))
        drawn = _zipf(rng, share, length)
        own = of_topic[topic][np.minimum(rng.geometric(0.15, size=length) - 1, OF_TOPIC - 1)]
        number = np.where(rng.random(length) < 0.5, own, drawn)
        said: list[str] = []
        for i in number:
            if rng.random() < 0.25:
                said.append(LINKS[int(rng.integers(len(LINKS)))])
            if i % 3 == 0:
                said.append(f"adj{i % 7 + i % 50}")
            said.append(str(words[i]))
        made.append(" ".join(said[:30]))
    return made, topics


def _zipf(rng: np.random.Generator, share: np.ndarray, count: int) -> np.ndarray:
    """Numbers of words by Zipf's law, by inverting the sum of the shares."""
    total = np.cumsum(share)
    return np.searchsorted(total, rng.random(count) * total[-1])


def activations(topics: np.ndarray, features: int, rng: np.random.Generator) -> sparse.csr_matrix:
    """CSR float32 [N, features]: `L0` active of each row, and the feature of its topic."""
    rows = np.repeat(np.arange(len(topics)), L0)
    columns = rng.integers(features, size=len(rows))
    own = topics % features
    rows, columns = np.concatenate([rows, np.arange(len(topics))]), np.concatenate([columns, own])
    values = rng.exponential(size=len(rows)).astype(np.float32)
    values[-len(topics) :] += 3.0
    return sparse.csr_matrix((values, (rows, columns)), shape=(len(topics), features))


def made(count: int, features: int, seed: int) -> tuple[CaptionedActivations, np.ndarray]:
    """Pictures with captions, and their latents float32 [N, LATENT_DIM]."""
    rng = np.random.default_rng(seed)
    captions, topics = captions_and_topics(count, np.random.default_rng([0, seed]))
    centres = np.random.default_rng(1).normal(size=(TOPICS, LATENT_DIM))
    latents = (centres[topics] + rng.normal(size=(count, LATENT_DIM))).astype(np.float32)
    return CaptionedActivations(activations(topics, features, rng), captions), latents


def steps(count: int, features: int) -> dict[str, Callable[[], str]]:
    """What is measured, by name; each says in words what it found."""
    train, latents = made(count, features, 0)
    held_out = [made(count // 10, features, seed)[0] for seed in (1, 2)]
    highest = train.values.max(axis=0).toarray().ravel()
    vocabulary = Vocabulary()

    def labels() -> str:
        shape = (features, 32, 32)
        found = label_features(
            [train, *held_out], highest, np.zeros(shape, np.float32), [None] * features, vocabulary, 0.35
        )
        named = [label for label in found if label.term]
        return f"{len(named)} labels"

    def coverage() -> str:
        return f"coverage {caption_coverage((train.values, train.captions), _pair(held_out[0]), vocabulary) or 0:.3f}"

    def class_means() -> str:
        found = captioned_latents(latents, train.captions, train.values, np.ones(features), [], vocabulary)
        return f"{len(found.terms)} terms"

    found = (lambda: "captions and activations made", labels, coverage, class_means)
    return dict(zip(NAMES, found, strict=True))


def _pair(some: CaptionedActivations) -> tuple[sparse.csr_matrix, list[str | None]]:
    return some.values, list(some.captions)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, nargs="?", default=100_000)
    parser.add_argument("--features", type=int, default=2_048)
    parser.add_argument("--steps", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    for name in options.steps:
        if not options.here:
            command = [sys.executable, "-m", "benchmarks.captions", str(options.count), "--here", "--steps", name]
            subprocess.run([*command, "--features", str(options.features)], check=True)
            continue
        step = steps(options.count, options.features)[name]
        start = time.perf_counter()
        said = step()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        print(f"{name:12} {time.perf_counter() - start:6.1f} s {peak:6} MiB  {said}", flush=True)


if __name__ == "__main__":
    main()
