"""A bundle of any number of features, from nothing: random weights, through the library's own writers, in seconds.

    python -m tests.wide_bundle FOLDER FEATURES

Every feature fires on a few of the pictures, has a position of its own on the map, and a label; the last one is the
only "zeppelin". Nothing is learnt, so what an edit looks like means nothing.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from swiggle.atlas.activations import Activations, activations_of
from swiggle.atlas.atlas import write_arrays, write_pictures, write_vocabulary
from swiggle.atlas.captioned_latents import captioned_latents
from swiggle.atlas.cards import Places, write_cards
from swiggle.atlas.label import UNEXPLAINED, Label
from swiggle.atlas.layout import FeatureMap
from swiggle.atlas.neighbours import nearest_cofiring, nearest_rows
from swiggle.atlas.statistics import CoActivation, Summary
from swiggle.atlas.text import text_encoder
from swiggle.captions.vocabulary import Vocabulary
from swiggle.config import SAEConfig, VAEConfig
from swiggle.data.pixels import encode_png, encode_small_png, encode_webp
from swiggle.manifest import NAME, make_manifest
from swiggle.models.vae import VAE
from swiggle.sae.model import SparseAutoencoder

PICTURES = 2_000
ACTIVE = 12
"""Features of a picture."""
THINGS = [f"{colour} {thing}" for colour in ("red", "blue", "green", "black") for thing in
          ("shark", "pizza", "robot", "lamp", "whale", "cherry", "crown", "anvil")]  # fmt: skip
LAST = "zeppelin"
_TILES = 64
"""Different small pictures, which the features share."""


def labels_of(features: int) -> list[Label]:
    """A label each: heads, bodies and glasses by turns, the last one like no other."""
    said = [THINGS[i % len(THINGS)] for i in range(features - 1)] + [LAST]
    where = [("head", "body", "glasses")[i % 3] for i in range(features)]
    return [
        Label(f"{words} {place}", words, place, 0.5 + i / features / 2, 0.9, 0.8, 0.85, 0.1, "caption", ())
        for i, (words, place) in enumerate(zip(said, where, strict=True))
    ]


def drawn_table(alone: Sequence[bytes], strips: Sequence[bytes], sheets: Sequence[bytes]) -> pa.Table:
    """What interpreters draw, one of each a feature: the feature alone, its strip of strengths, and its sheet of
    ablations."""
    features = len(alone)
    empty = pa.array([[]] * features, pa.list_(pa.int64()))
    return pa.table(
        {
            "id": np.arange(features),
            "slider_low": np.full(features, -1.0, np.float32),
            "slider_high": np.full(features, 2.0, np.float32),
            "seen": pa.array([[0.0] * 9] * features, pa.list_(pa.float32())),
            "side_effect": np.zeros(features, np.float32),
            "side_effect_ids": empty,
            "side_effect_strengths": empty.cast(pa.list_(pa.float32())),
            "ablation": sheets,
            "ablation_change": pa.array([[1.0]] * features, pa.list_(pa.float32())),
            "one_hot": alone,
            "natural": alone,
            "strip": strips,
        }
    )


def write_bundle(
    folder: Path,
    vae: VAE,
    sae: SparseAutoencoder,
    *,
    latents: np.ndarray,
    captions: Sequence[str | None],
    pictures: Sequence[bytes],
    samples: Sequence[int],
    labels: Sequence[Label],
    footprints: np.ndarray,
    positions: np.ndarray,
    drawn: pa.Table,
    metrics: dict[str, Any],
    vocabulary: Vocabulary | None = None,
) -> Path:
    """Write a bundle through the library's own writers; returns its folder. latents: float32 [N, latent_dim] of the N
    captions and pictures, which are taken in turn where there are fewer; footprints: [features, 32, 32]; positions on
    the map: float32 [features, 2], 0 to 1; the vocabulary of Nouns, if no other is given."""
    vae.save_pretrained(folder / "vae")
    sae.save_pretrained(folder / "sae")
    ids, vocabulary = np.arange(len(latents)), vocabulary or Vocabulary.load("nouns")
    values = activations_of(sae, latents)
    statistics = Summary.of(Activations(ids, values), 9, 200).statistics(5)
    mean = statistics.mean_activation
    coactivation = CoActivation.of(values, latents, mean, statistics.max_activation)
    rows, live = sae.rows(), statistics.density > 0
    groups = [label.place or "mixed" if on else "dead" for label, on in zip(labels, live, strict=True)]
    atlas = folder / "atlas"
    atlas.mkdir()
    near = nearest_rows(rows, live, 8), nearest_cofiring(coactivation.cofiring, 8)
    places = Places(positions, groups, [label.place for label in labels], *near)
    write_cards(atlas, statistics, labels, places, coactivation.histogram, drawn)
    write_arrays(atlas, coactivation.mean_coactivation(), coactivation.direction(), footprints, mean)
    FeatureMap(rows[:8], positions[:8], 4).save(atlas)
    write_vocabulary(atlas, vocabulary)
    examples = statistics.example_ids.ravel(), statistics.quantile_example_ids.ravel()
    shown = np.unique(np.concatenate([*examples, samples]))
    kept = shown[shown >= 0].tolist()
    write_pictures(atlas, kept, [pictures[i % len(pictures)] for i in kept], set(samples))
    captioned_latents(latents, captions, values, mean, [], vocabulary).save(atlas)
    named = [(feature, label.term) for feature, label in enumerate(labels) if label.text != UNEXPLAINED]
    words = sorted({term for _, term in named})
    vectors = dict(zip(words, text_encoder().encode(words).tolist(), strict=True))
    (folder / "index").mkdir()
    found = {"feature": [feature for feature, _ in named], "words": [term for _, term in named]}
    embedded = pa.array([vectors[term] for _, term in named], pa.list_(pa.float32()))
    pq.write_table(pa.table({**found, "embedding": embedded}), folder / "index" / "labels.parquet")
    (folder / NAME).write_text(json.dumps(make_manifest(folder, {}, metrics)))
    return folder


def wide_bundle(folder: Path, features: int) -> Path:
    """Write it; returns the folder."""
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    vae = VAE(VAEConfig(image_size=32, encoder="dense", decoder="dense", hidden=64, blocks=1)).eval()
    latent_dim = int(np.prod(vae.latent_shape))
    sae = SparseAutoencoder(
        SAEConfig(objective="topk", k=ACTIVE, features=features, latent_dim=latent_dim), decoder_init_norm=1.0
    ).eval()
    latents = rng.normal(size=(PICTURES, latent_dim)).astype(np.float32)
    tiles = rng.integers(0, 256, (_TILES, 32, 32, 3)).astype(np.uint8)
    png = [encode_png(tile) for tile in tiles]
    strip = encode_small_png(np.concatenate([tiles[0]] * 9, axis=1))
    sheet = encode_webp(np.concatenate([tiles[0]] * 3))
    positions = rng.random((features, 2)).astype(np.float32)
    return write_bundle(
        folder, vae, sae,
        latents=latents, captions=[f"a {THINGS[i % len(THINGS)]} head" for i in range(PICTURES)],
        pictures=png, samples=range(4), labels=labels_of(features),
        footprints=rng.random((features, 32, 32), dtype=np.float32), positions=positions,
        drawn=drawn_table([png[i % len(png)] for i in range(features)], [strip] * features, [sheet] * features),
        metrics={},
    )  # fmt: skip


if __name__ == "__main__":
    wide_bundle(Path(sys.argv[1]), int(sys.argv[2]))
