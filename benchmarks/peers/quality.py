"""What dictionaries are worth, ours and those of other packages: FVU and coverage over L0, all scored by one script.

    pip install 'swiggle[peers]' dictionary-learning
    python -m benchmarks.peers.quality --run runs/demo                 # trains what is missing, a line a dictionary
    python -m benchmarks.peers.quality --run runs/demo --tables        # Markdown of what there is

Same latents, batches, steps, learning rate and dictionary size for all (`benchmarks/peers/training.py`); at the end
each tries half and twice the learning rate at one knob, to show whom it suits. FVU, L0 and coverage are of the test
split. An L1 weight or a k gives an L0 that is not chosen, so each seed's scores are interpolated to the wanted L0: log
FVU, and coverage, over log L0. One thread, so that it can run beside other work.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.peers.training import TRAINERS
from swiggle.config import Objective, SAEConfig
from swiggle.data.latents import read_latents
from swiggle.evaluation.coverage import coverage
from swiggle.evaluation.dictionary_scores import code_of
from swiggle.evaluation.truth import composed, true_traits
from swiggle.sae.metrics import dictionary_metrics
from swiggle.sae.trials import knob_of

L0 = (5, 10, 20, 35, 50)
# Wide enough for every L0 above; the first is near the middle of them.
KNOBS: dict[str, list[float]] = {"l1": [0.7, 0.4, 1.6, 0.25, 4.0, 14.0, 28.0], "k": [20, 10, 35, 4, 52]}
OTHER_RATES = (SAEConfig.lr / 2, SAEConfig.lr * 2)
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Method:
    package: str
    objective: Objective

    @property
    def name(self) -> str:
        return f"{self.package} {self.objective}"

    @property
    def knobs(self) -> list[float]:
        return KNOBS[knob_of(self.objective)]


METHODS = (
    Method("swiggle", "l1"),
    Method("sae-lens", "l1"),
    Method("dictionary-learning", "l1"),
    Method("swiggle", "batch_topk"),
    Method("sae-lens", "batch_topk"),
    Method("sae-lens", "topk"),
    Method("overcomplete", "topk"),
    Method("swiggle", "matryoshka_l1"),
    Method("swiggle", "topk"),
    Method("swiggle", "matryoshka"),
)
L1 = {method.name for method in METHODS if method.objective == "l1"}

Key = tuple[str, float, float, int]
"""Name of the method, knob, learning rate, seed."""


def read_rows(path: Path) -> dict[Key, dict[str, Any]]:
    lines = path.read_text().splitlines() if path.exists() else []
    return {(row["method"], row["knob"], row["lr"], row["seed"]): row for row in map(json.loads, lines)}


def wanted(asked: list[Method]) -> Iterator[tuple[Method, Key]]:
    """What is to be trained, all methods before another seed and other learning rates last."""
    for seed, place, method in product(SEEDS, range(max(map(len, KNOBS.values()))), asked):
        if place < len(method.knobs):
            yield method, (method.name, method.knobs[place], SAEConfig.lr, seed)
    for lr, method in product(OTHER_RATES, asked):
        yield method, (method.name, method.knobs[0], lr, SEEDS[0])


class Scorer:
    """Latents and true traits of a run."""

    def __init__(self, run: Path, epochs: int) -> None:
        self.epochs = epochs
        self.composition = composed("nouns")
        self.train, self.test = (read_latents(run / "latents", split)[1] for split in ("train", "test"))
        self.traits = [true_traits(run / "data" / split, self.composition) for split in ("train", "test")]

    def row(self, method: Method, key: Key) -> dict[str, Any]:
        """Train one dictionary and score it."""
        _, knob, lr, seed = key
        config = SAEConfig(
            objective=method.objective, latent_dim=self.train.shape[1], epochs=self.epochs, lr=lr, seed=seed
        )
        config = replace(config, l1=knob) if knob_of(method.objective) == "l1" else replace(config, k=int(knob))
        start = time.monotonic()
        sae = TRAINERS[method.package](torch.from_numpy(self.train), config)
        seconds = time.monotonic() - start
        metrics = dictionary_metrics(sae, torch.from_numpy(self.test))
        code = code_of(sae, self.train, self.test)
        by_slot = coverage(code.train, self.traits[0], code.test, self.traits[1], self.composition)
        covered = {slot: by_slot[slot]["coverage"] for slot in self.composition.slots}
        return {
            **{"method": method.name, "knob": knob, "lr": lr, "seed": seed, "epochs": self.epochs},
            **{name: metrics[name] for name in ("l0", "fvu", "dead", "shrinkage")},
            **{"coverage": float(np.mean(list(covered.values()))), "by_slot": covered, "seconds": seconds},
        }


def at_l0(rows: list[dict[str, Any]], l0: float, score: str) -> float:
    """A seed's score at an L0, NaN outside of what was trained."""
    ordered = sorted(rows, key=lambda row: row["l0"])
    where = np.log([row["l0"] for row in ordered])
    values = np.array([row[score] for row in ordered])
    if score == "fvu":
        return float(np.exp(np.interp(np.log(l0), where, np.log(values), np.nan, np.nan)))
    return float(np.interp(np.log(l0), where, values, np.nan, np.nan))


def scores(rows: dict[Key, dict[str, Any]], score: str) -> dict[str, list[tuple[float, float, int]]]:
    """For each method a mean over seeds, its standard error and the number of seeds, at every L0 of `L0`."""
    result = {}
    for method in METHODS:
        mine = [row for key, row in rows.items() if key[0] == method.name and key[2] == SAEConfig.lr]
        seeds = [[row for row in mine if row["seed"] == seed] for seed in SEEDS]
        line = []
        for l0 in L0:
            values = np.array([at_l0(group, l0, score) for group in seeds if group])
            known = values[np.isfinite(values)]
            error = known.std(ddof=1) / np.sqrt(len(known)) if len(known) > 1 else np.nan
            line.append((known.mean() if len(known) else np.nan, error, len(known)))
        result[method.name] = line
    return result


def verdict(table: dict[str, list[tuple[float, float, int]]], place: int, better: int, names: set[str]) -> str:
    """Our best against their best at one L0. `better`: 1 where more is better, -1 where less is."""
    best: dict[bool, tuple[float, float, str]] = {}
    for name in names:
        mean, error, _ = table[name][place]
        mine = name.startswith("swiggle")
        if np.isfinite(mean) and (mine not in best or better * mean > better * best[mine][0]):
            best[mine] = (mean, error, name)
    if len(best) < 2:
        return "?"
    ahead = better * (best[True][0] - best[False][0])
    within = 2 * np.hypot(*np.nan_to_num([best[True][1], best[False][1]]))
    word = "ahead" if ahead > within else "level" if ahead >= -within else "behind"
    return f"{word}: {best[True][2]} {best[True][0]:.4f}, {best[False][2]} {best[False][0]:.4f}"


def print_tables(rows: dict[Key, dict[str, Any]]) -> None:
    print("FVU and coverage by learning rate, one seed, one knob:")
    for method in METHODS:
        keys = [(method.name, method.knobs[0], lr, SEEDS[0]) for lr in (*OTHER_RATES, SAEConfig.lr)]
        shown = [f"{key[2]:g}: {rows[key]['fvu']:.4f}, {rows[key]['coverage']:.3f}" for key in keys if key in rows]
        print(f"{method.name}: {'; '.join(shown)}")
    for score, better in (("fvu", -1), ("coverage", 1)):
        table = scores(rows, score)
        print(f"\n| {score} at L0 | {' | '.join(map(str, L0))} | seeds |\n| --- |{' --- |' * (len(L0) + 1)}")
        for name, line in table.items():
            cells = ["" if not np.isfinite(m) else f"{m:.4f} ± {e:.4f}" for m, e, _ in line]
            print(f"| {name} | {' | '.join(cells)} | {max(count for *_, count in line)} |")
        for names, which in ((set(table), "best of all"), (L1, "L1")):
            for place, l0 in enumerate(L0):
                print(f"{score}, {which}, L0 {l0}: {verdict(table, place, better, names)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=Path("runs/demo"))
    parser.add_argument("--packages", nargs="+", choices=list(TRAINERS), default=list(TRAINERS))
    parser.add_argument("--objectives", nargs="+", default=sorted({method.objective for method in METHODS}))
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--rows", type=Path, default=Path("runs/peers/quality.jsonl"))
    parser.add_argument("--tables", action="store_true")
    options = parser.parse_args()
    if options.tables:
        return print_tables(read_rows(options.rows))
    torch.set_num_threads(1)
    options.rows.parent.mkdir(parents=True, exist_ok=True)
    scorer = Scorer(options.run, options.epochs)
    asked = [m for m in METHODS if m.package in options.packages and m.objective in options.objectives]
    for method, key in wanted(asked):
        if key in read_rows(options.rows):
            continue
        row = scorer.row(method, key)
        with options.rows.open("a") as rows:
            rows.write(json.dumps(row) + "\n")
        print(
            {key: row[key] for key in ("method", "knob", "lr", "seed", "l0", "fvu", "coverage", "seconds")}, flush=True
        )
    return None


if __name__ == "__main__":
    main()
