"""Interpret every feature with Ray Data: activations, examples, previews, footprints, map, labels, index.

    python -m jobs.build_atlas preset=quick run=runs/demo
    python -m jobs.build_atlas preset=quick run=runs/demo atlas.workers=2

Reads `<run>/data`, `<run>/vae`, `<run>/latents` and `<run>/sae`; writes `<run>/activations`, `<run>/atlas` and
`<run>/index/labels.parquet`. Labels come from captions alone.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import ray
import torch
from ray.data import ActorPoolStrategy

from jobs.cluster import connect, quiet, read_rows, write_rows
from jobs.stage import Stage, complete, run_command, say
from swiggle.atlas.activations import Activations, read_activations, to_table
from swiggle.atlas.atlas import write_arrays, write_features, write_pictures, write_vocabulary
from swiggle.atlas.labels import UNEXPLAINED, Label, label_features
from swiggle.atlas.layout import feature_map
from swiggle.atlas.memory import remember
from swiggle.atlas.previews import preview
from swiggle.atlas.statistics import FeatureStatistics, feature_company, feature_statistics
from swiggle.atlas.text import text_encoder
from swiggle.config import RunConfig
from swiggle.data.latents import read_latents
from swiggle.data.pixels import encode_png
from swiggle.data.reading import read_captions
from swiggle.data.splits import SPLITS, split_of
from swiggle.models.vae import VAE
from swiggle.sae.model import SparseAutoencoder
from swiggle.storage import join, local_copy, publish, remove
from swiggle.vocabulary import Mention, Vocabulary


class FeatureActivations:
    """A Ray Data actor: latents in, sparse activations out."""

    def __init__(self, sae: str) -> None:
        quiet()
        torch.set_num_threads(1)
        with local_copy(sae) as folder:
            self.sae = SparseAutoencoder.from_pretrained(folder)

    @torch.inference_mode()
    def __call__(self, batch: pa.Table) -> pa.Table:
        latents = batch["latent"].combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(batch.num_rows, -1)
        return to_table(batch["id"].to_numpy(), self.sae.encode(torch.from_numpy(latents.copy())).numpy())


class FeaturePreviews:
    """A Ray Data actor: features in, pictures and footprints out."""

    def __init__(self, vae: str, sae: str) -> None:
        quiet()
        torch.set_num_threads(1)
        with local_copy(vae) as folder:
            self.vae = VAE.from_pretrained(folder)
        with local_copy(sae) as folder:
            self.sae = SparseAutoencoder.from_pretrained(folder)

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, Any]:
        """Columns `feature`, `level`, `latents` [k, latent_dim] and `activations` [k] of k examples, 0 for none."""
        examples = []
        for latents, activations in zip(batch["latents"], batch["activations"], strict=True):
            active = torch.from_numpy(activations > 0)
            shaped = torch.from_numpy(latents.copy()).view(-1, *self.vae.latent_shape)
            examples.append((shaped[active], torch.from_numpy(activations.copy())[active]))
        drawn = preview(self.vae, self.sae, batch["feature"], batch["level"], examples)
        return {
            "feature": batch["feature"],
            "one_hot": [encode_png(picture) for picture in drawn.one_hot],
            "natural": [encode_png(picture) for picture in drawn.natural],
            "footprint": drawn.footprint,
        }


def activate(config: RunConfig, output: str) -> None:
    """Write the activations of every picture."""
    remove(output)
    activated = read_rows(join(config.run, "latents")).map_batches(
        FeatureActivations,
        fn_constructor_kwargs={"sae": join(config.run, "sae")},
        batch_format="pyarrow",
        batch_size=config.atlas.batch_size,
        num_cpus=1,
        compute=ActorPoolStrategy(size=config.atlas.workers),
    )
    write_rows(activated, output)


def draw(config: RunConfig, statistics: FeatureStatistics, train: Activations, latents: np.ndarray) -> list[dict]:
    """One row a feature, in order: `one_hot`, `natural`, `footprint`. `latents` belong to `train`'s rows."""
    ids = statistics.example_ids[:, : config.atlas.footprint_examples]
    rows = np.searchsorted(train.ids, ids).clip(max=len(train.ids) - 1)
    levels = np.where(ids >= 0, statistics.example_activations[:, : ids.shape[1]], 0).astype(np.float32)
    items = [
        {"feature": i, "level": statistics.mean_activation[i], "latents": latents[rows[i]], "activations": levels[i]}
        for i in range(len(ids))
    ]
    drawn = ray.data.from_items(items).map_batches(
        FeaturePreviews,
        fn_constructor_kwargs={"vae": join(config.run, "vae"), "sae": join(config.run, "sae")},
        batch_size=64,
        num_cpus=1,
        compute=ActorPoolStrategy(size=config.atlas.workers),
    )
    return sorted(drawn.take_all(), key=lambda row: row["feature"])


def label(config: RunConfig, activations: Activations, splits: np.ndarray, data: Path, top: np.ndarray) -> list[Label]:
    """Labels learnt on the training captions and measured on the validation captions."""
    parts = [
        (activations.rows(splits == split).values, read_captions(data / split)) for split in ("train", "validation")
    ]
    vocabulary = Vocabulary.load(config.atlas.vocabulary)
    return label_features(parts[0], parts[1], top, vocabulary, config.atlas.min_confidence)


def collect_pictures(data: Path, wanted: set[int], samples: int) -> tuple[list[int], list[bytes], set[int]]:
    """PNG bytes of the wanted pictures and of the first held-out ones, which are the samples."""
    shown = set(pq.read_table(data / "test", columns=["id"])["id"].to_pylist()[:samples])
    ids: list[int] = []
    images: list[bytes] = []
    for split in SPLITS:
        table = pq.read_table(data / split, columns=["id", "image"])
        for number, image in zip(table["id"].to_pylist(), table["image"].to_pylist(), strict=True):
            if number in wanted or number in shown:
                ids.append(number)
                images.append(image["bytes"])
    return ids, images, shown


def work(config: RunConfig, key: str) -> dict[str, Any]:
    connect()
    with local_copy(join(config.run, "sae")) as folder:
        sae = SparseAutoencoder.from_pretrained(folder)
    activate(config, join(config.run, "activations"))
    with local_copy(join(config.run, "activations")) as folder:
        activations = read_activations(folder, sae.config.features)
    splits = np.array([split_of(int(number)) for number in activations.ids])
    train = activations.rows(splits == "train")
    statistics = feature_statistics(train, config.atlas.examples)
    say(
        STAGE.name,
        f"{len(activations.ids)} pictures activated, {(statistics.density == 0).mean():.1%} of features dead",
    )

    with local_copy(join(config.run, "latents")) as folder:
        latents = read_latents(folder, "train")[1]
    drawn = draw(config, statistics, train, latents)
    say(STAGE.name, "previews and footprints drawn")
    positions = feature_map(sae.W_dec.detach().numpy(), config.atlas)
    say(STAGE.name, "features laid out on the map")
    with local_copy(join(config.run, "data")) as data:
        labels = label(config, activations, splits, data, statistics.max_activation)
        captions = read_captions(data / "train")
        wanted = set(statistics.example_ids[statistics.example_ids >= 0].tolist())
        pictures = collect_pictures(data, wanted, config.atlas.samples)
    named = [i for i, found in enumerate(labels) if found.text != UNEXPLAINED]
    say(STAGE.name, f"{len(named)} features labelled")

    with publish(join(config.run, "atlas")) as folder:
        one_hot, natural = [row["one_hot"] for row in drawn], [row["natural"] for row in drawn]
        write_features(folder, statistics, labels, positions, one_hot, natural)
        company = feature_company(train.values, statistics.mean_activation, latents)
        write_arrays(folder, company, np.stack([row["footprint"] for row in drawn]))
        write_pictures(folder, *pictures)
        vocabulary = Vocabulary.load(config.atlas.vocabulary)
        write_vocabulary(folder, vocabulary)
        known = {Mention(labels[i].place, tuple(labels[i].term.split())) for i in named}
        remember(latents, captions, train.values, statistics.mean_activation, known, vocabulary).save(folder)
    with publish(join(config.run, "index")) as folder:
        write_label_vectors(folder, named, labels)

    live = statistics.density > 0
    return {
        "features": len(labels),
        "live": int(live.sum()),
        "labelled": len(named),
        "labelled_share_of_live": len(named) / max(1, int(live.sum())),
        "mean_confidence": float(np.mean([labels[i].confidence for i in named])) if named else 0.0,
    }


def write_label_vectors(folder: Path, named: list[int], labels: list[Label]) -> None:
    """`labels.parquet`: the labelled features and the embedding of their words, what Chroma is filled from."""
    words = [labels[i].term for i in named]
    distinct = sorted(set(words))
    vectors = dict(zip(distinct, text_encoder().encode(distinct), strict=True)) if distinct else {}
    table = {"feature": pa.array(named, pa.int64()), "words": pa.array(words, pa.string())}
    table["embedding"] = pa.array([vectors[text].tolist() for text in words], pa.list_(pa.float32()))
    pq.write_table(pa.table(table), folder / "labels.parquet")


STAGE = Stage(
    "build_atlas", ("prepare_data", "train_vae", "encode_latents", "sweep_sae"), lambda c: asdict(c.atlas), work
)

if __name__ == "__main__":
    run_command(__doc__, lambda config: complete(STAGE, config))
