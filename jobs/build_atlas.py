"""Interpret every feature with Ray Data: activations, statistics, previews, ablations, sweeps, map, labels, index.

    python -m jobs.build_atlas preset=quick run=runs/demo
    python -m jobs.build_atlas preset=quick run=runs/demo atlas.workers=2
    python -m jobs.build_atlas preset=quick run=runs/demo dictionary=train_sae

Reads `<run>/data`, `<run>/vae`, `<run>/latents` and the dictionary that was chosen by a sweep, or with
`dictionary=train_sae` the one of that stage; writes `<run>/activations`, `<run>/atlas` and
`<run>/index/labels.parquet`. Labels come from captions alone, read with `<run>/vocabulary.yaml` where there is one.
What is finished of a run that was killed is kept in `<run>/build_atlas` and not done again.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial, reduce
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import ray
from pyarrow.compute import field
from pyarrow.dataset import dataset
from ray.data import ActorPoolStrategy

from jobs import encode_latents, prepare_data, sweep_sae, train_sae, train_vae
from jobs.runtime.cluster import connect, read_rows, write_rows
from jobs.runtime.dictionary import chosen_dictionary
from jobs.runtime.interpreters import CoActivations, FeatureActivations, FeaturePictures, Summaries
from jobs.runtime.partial_results import arrays_once, from_parts, in_parts, rows_once
from jobs.runtime.pixel_owners import own
from jobs.runtime.run_vocabulary import run_vocabulary, vocabulary_file, vocabulary_settings
from jobs.runtime.stage import Stage, complete, run_command, say
from swiggle.atlas.activations import read_activations
from swiggle.atlas.atlas import write_arrays, write_pictures, write_vocabulary
from swiggle.atlas.attribution import acting_places
from swiggle.atlas.caption_labels import label_features
from swiggle.atlas.captioned_latents import captioned_latents
from swiggle.atlas.cards import Places, explained, write_cards
from swiggle.atlas.detectors import CaptionedActivations
from swiggle.atlas.groups import feature_groups
from swiggle.atlas.label import Label
from swiggle.atlas.layout import FeatureMap, feature_map, feature_rows
from swiggle.atlas.neighbours import nearest_cofiring, nearest_rows
from swiggle.atlas.previews import FOOTPRINT
from swiggle.atlas.statistics import CoActivation, FeatureStatistics, Summary
from swiggle.atlas.text import text_encoder
from swiggle.atlas.vision import Evidence, VisionLabeller, unexplained, vision_labels
from swiggle.captions.vocabulary import Vocabulary
from swiggle.config import AtlasExecution, RunConfig, without
from swiggle.data.latents import first_latents, latents_of_ids
from swiggle.data.reading import first_with_pictures, read_captions
from swiggle.data.splits import SPLITS
from swiggle.sae.model import SparseAutoencoder
from swiggle.storage import join, local_copy, publish, publish_at, remove

DICTIONARIES = (sweep_sae.STAGE, train_sae.STAGE)
"""The stages that train dictionaries."""
SAMPLE = 200
"""Pictures of a feature from which its quantiles are taken."""
DRAWN_TOGETHER = 64
ASKED = 4
"""Pictures of a kind that a vision model is shown."""


def over_latents(config: RunConfig, actor: type, **arguments: Any) -> ray.data.Dataset:
    """A batch of latents after the other through `atlas.workers` actors."""
    return read_rows(join(config.run, "latents")).map_batches(
        actor,
        fn_constructor_kwargs={"sae": chosen_dictionary(config)[0], **arguments},
        batch_format="pyarrow",
        batch_size=config.atlas.batch_size,
        num_cpus=1,
        num_gpus=config.atlas.gpus_per_worker,
        compute=ActorPoolStrategy(size=config.atlas.workers),
    )


def merged(parts: ray.data.Dataset) -> Any:
    """What actors found in their batches as one, never more than two of them in memory here."""
    found = (batch["part"][0] for batch in parts.iter_batches(batch_size=1, prefetch_batches=0))
    return reduce(lambda one, other: one.merge(other), found)


def activate(config: RunConfig) -> dict[str, np.ndarray]:
    """Write the activations of every picture."""
    with publish_at(join(config.run, "activations")) as output:
        write_rows(over_latents(config, FeatureActivations), output)
    return {"done": np.ones(1)}


def summarise(config: RunConfig) -> dict[str, np.ndarray]:
    """The fields of `FeatureStatistics`."""
    summary: Summary = merged(over_latents(config, Summaries, examples=config.atlas.examples, sample=SAMPLE))
    return vars(summary.statistics(config.atlas.quantile_examples))


def coactivate(config: RunConfig, statistics: FeatureStatistics) -> dict[str, np.ndarray]:
    """`coactivation`, `direction`, `cofiring` and `histogram` of `CoActivation`, the sparse ones in parts."""
    coactivation: CoActivation = merged(over_latents(config, CoActivations, statistics=statistics))
    return {
        **in_parts("coactivation", coactivation.mean_coactivation()),
        "direction": coactivation.direction(),
        **in_parts("cofiring", coactivation.cofiring),
        "histogram": coactivation.histogram,
    }


def draw(
    config: RunConfig, statistics: FeatureStatistics, owned: dict[str, np.ndarray], places: int, features: list[int]
) -> Iterator[pa.Table]:
    """Tables with what `FeaturePictures` says of features, as they come."""
    ids = statistics.example_ids[:, : config.atlas.ablations]
    with local_copy(join(config.run, "latents")) as folder:
        known, latents = latents_of_ids(folder, ids[features][ids[features] >= 0])
        fixed = first_latents(folder, "validation", config.atlas.sweep_pictures)
        if not len(fixed):  # a set too small to hold some out
            fixed = first_latents(folder, "train", config.atlas.sweep_pictures)
    items = [
        {
            "feature": i,
            "latents": rows_of(known, latents, ids[i]),
            "activations": np.where(ids[i] >= 0, statistics.example_activations[i, : ids.shape[1]], 0.0),
            "owners": rows_of(owned["ids"], owned["owner"], ids[i]),
        }
        for i in features
    ]
    drawn = ray.data.from_items(items, override_num_blocks=-(-len(items) // DRAWN_TOGETHER)).map_batches(
        FeaturePictures,
        fn_constructor_kwargs={
            "vae": join(config.run, "vae"),
            "sae": chosen_dictionary(config)[0],
            "levels": statistics.mean_activation,
            "fixed": fixed,
            "places": places,
        },
        batch_size=DRAWN_TOGETHER,
        num_cpus=1,
        num_gpus=config.atlas.gpus_per_worker,
        compute=ActorPoolStrategy(size=config.atlas.workers),
    )
    yield from drawn.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0)


def rows_of(known: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The rows of `values` [n, ...] that belong to the wanted ids, zeros for those that are not among the `known` ids
    [n], ascending."""
    found = np.zeros((len(wanted), *values.shape[1:]), values.dtype)
    there = np.isin(wanted, known)
    found[there] = values[np.searchsorted(known, wanted[there])]
    return found


def captioned(config: RunConfig, features: int) -> dict[str, tuple[np.ndarray, CaptionedActivations]]:
    """For each split, ids and what is read of its pictures with captions."""
    found = {}
    with local_copy(join(config.run, "data")) as data, local_copy(join(config.run, "activations")) as folder:
        for split in SPLITS:
            ids, captions = read_captions(data / split, config.atlas.caption_pictures)
            found[split] = ids, CaptionedActivations(read_activations(folder, features, ids).values, captions)
    if not any(found["train"][1].captions):
        say(STAGE.name, "no captions were found, so no feature gets a label from them and prompts find nothing")
    elif not found["validation"][1].captions:
        say(STAGE.name, "no validation pictures: no label can be confirmed, so features get none")
    return found


def seen_by_vision(
    config: RunConfig,
    labels: list[Label],
    statistics: FeatureStatistics,
    train: tuple[np.ndarray, CaptionedActivations],
    vocabulary: Vocabulary,
    parts: str,
) -> list[Label]:
    """The labels, with those of a vision model where captions leave a live feature unexplained. Answers are kept at
    `parts` as they come, so that a stage that was stopped asks only what is missing."""
    labeller = VisionLabeller(config.atlas.labeller_url, config.atlas.labeller_model)
    missed: list[str] = []

    def ask(features: list[int]) -> Iterator[pa.Table]:
        chosen = {i: pictures_about(i, statistics, *train) for i in features}
        with local_copy(join(config.run, "data")) as data:
            wanted = np.array([number for groups in chosen.values() for group in groups for number in group], np.int64)
            images = dict(zip(*collect_pictures(data, wanted, 0)[:2], strict=True))
        evidence = (Evidence(i, *([images[n] for n in group] for group in groups)) for i, groups in chosen.items())
        for answer in vision_labels(labeller, evidence, vocabulary, config.atlas.min_confidence, config.atlas.seed):
            if answer.failure:
                missed.append(answer.failure)
            else:
                said = json.dumps(answer.label and asdict(answer.label))
                yield pa.table({"id": [answer.feature], "label": [said]})
        if missed:
            say(
                STAGE.name,
                f"{len(missed)} of {len(features)} features got no answer from the vision model and stay unexplained; "
                f"the last: {missed[-1]}",
            )

    kept = rows_once(join(parts, "vision"), unexplained(labels, statistics.density > 0), ask)
    said = {row["id"]: json.loads(row["label"]) for row in kept.to_pylist()}
    return [Label(**said[i]) if said.get(i) else label for i, label in enumerate(labels)]


def pictures_about(
    feature: int, statistics: FeatureStatistics, ids: np.ndarray, train: CaptionedActivations
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Ids of pictures to name a feature by (strongest, and silent ones), and of others to check the name with."""
    column = train.values[:, feature].toarray().ravel()
    silent = np.random.default_rng(feature).permutation(ids[column == 0])[: 2 * ASKED]
    strongest = statistics.example_ids[feature][:ASKED]
    further = np.setdiff1d(statistics.quantile_example_ids[feature], [*strongest, -1])[:ASKED]
    return strongest[strongest >= 0], silent[:ASKED], further, silent[ASKED:]


def work(config: RunConfig, key: str) -> dict[str, Any]:
    config = connect(config, STAGE.name, spare_cpus=1)  # to read with while the actors hold the others
    parts = join(config.run, "build_atlas", key)
    with local_copy(chosen_dictionary(config)[0]) as folder:
        rows = SparseAutoencoder.from_pretrained(folder).rows()
    arrays_once(join(parts, "activated"), partial(activate, config))
    statistics = FeatureStatistics(**arrays_once(join(parts, "statistics"), partial(summarise, config)))
    pairs = arrays_once(join(parts, "coactivation"), partial(coactivate, config, statistics))
    live = statistics.density > 0
    say(STAGE.name, f"activations summed up, {1 - live.mean():.1%} of features dead")
    vocabulary = run_vocabulary(config, STAGE.name)
    owned = arrays_once(join(parts, "owned"), partial(own, config, statistics, vocabulary))
    draw_some = partial(draw, config, statistics, owned, len(vocabulary.places))
    drawn = rows_once(join(parts, "drawn"), list(range(len(rows))), draw_some)
    footprint = np.stack(drawn["footprint"].to_pylist()).reshape(-1, FOOTPRINT, FOOTPRINT)
    acting = np.stack(drawn["acting"].to_pylist())
    say(STAGE.name, "previews, ablations and sweeps drawn")
    mapped = feature_rows(rows, footprint, acting)
    laid_out = FeatureMap.of(arrays_once(join(parts, "map"), lambda: feature_map(mapped[live], config.atlas).arrays()))
    positions = np.zeros((len(rows), 2), np.float32)
    positions[live] = laid_out.positions
    if live.any() and not live.all():
        positions[~live] = laid_out.place(mapped[~live])
    say(STAGE.name, "features laid out on the map")

    pictures = captioned(config, len(rows))
    splits = [pictures[split][1] for split in SPLITS]
    acts_on = acting_places(acting, list(vocabulary.places))
    labels = label_features(
        splits, statistics.max_activation, footprint, acts_on, vocabulary, config.atlas.min_confidence
    )
    if config.atlas.labeller == "vision":
        labels = seen_by_vision(config, labels, statistics, pictures["train"], vocabulary, parts)
    say(STAGE.name, f"{len(explained(labels))} features labelled")

    groups = feature_groups(positions, live, acts_on)
    near, cofiring = config.atlas.neighbours, from_parts("cofiring", pairs, len(rows))
    places = Places(positions, groups, acts_on, nearest_rows(rows, live, near), nearest_cofiring(cofiring, near))
    with publish(join(config.run, "atlas")) as folder:
        write_cards(folder, statistics, labels, places, pairs["histogram"], drawn)
        coactivation = from_parts("coactivation", pairs, len(rows))
        write_arrays(folder, coactivation, pairs["direction"], footprint, statistics.mean_activation)
        laid_out.save(folder)
        write_vocabulary(folder, vocabulary)
        with local_copy(join(config.run, "data")) as data:
            shown = np.concatenate([statistics.example_ids.ravel(), statistics.quantile_example_ids.ravel()])
            write_pictures(folder, *collect_pictures(data, shown[shown >= 0], config.atlas.samples))
        with local_copy(join(config.run, "latents")) as latents:
            ids, train = pictures["train"]
            known = {mention for label in labels for mention in label.found_by}
            z, unit = latents_of_ids(latents, ids)[1], statistics.mean_activation
            captioned_latents(z, train.captions, train.values, unit, known, vocabulary).save(folder)
    with publish(join(config.run, "index")) as folder:
        write_label_vectors(folder, labels)
    remove(join(config.run, "build_atlas"))
    return figures(labels, live) | of_places(vocabulary, owned)


def collect_pictures(data: Path, wanted: np.ndarray, samples: int) -> tuple[list[int], list[bytes], set[int]]:
    """Ids and PNG bytes of the wanted pictures and of the first held-out ones, which are the samples."""
    held_out = first_with_pictures(data, "test", "validation", "train")
    if held_out == "train" and samples:
        say(STAGE.name, "no pictures are held out: the samples to start an edit from are training pictures")
    shown = set(dataset(data / held_out).head(samples, columns=["id"])["id"].to_pylist())
    chosen = field("id").isin(np.union1d(wanted, list(shown)))
    tables = [dataset(data / split).to_table(["id", "image"], filter=chosen) for split in SPLITS]
    table = pa.concat_tables(tables)
    return table["id"].to_pylist(), [image["bytes"] for image in table["image"].to_pylist()], shown


def write_label_vectors(folder: Path, labels: Sequence[Label]) -> None:
    """`labels.parquet`: the labelled features and the embedding of their words, what Chroma is filled from."""
    named = explained(labels)
    words = [labels[i].term for i in named]
    distinct = sorted(set(words))
    vectors = dict(zip(distinct, text_encoder().encode(distinct), strict=True)) if distinct else {}
    table = {"feature": pa.array(named, pa.int64()), "words": pa.array(words, pa.string())}
    table["embedding"] = pa.array([vectors[text].tolist() for text in words], pa.list_(pa.float32()))
    pq.write_table(pa.table(table), folder / "labels.parquet")


def figures(labels: Sequence[Label], live: np.ndarray) -> dict[str, Any]:
    """The stage's metrics: how many features have a label, how often the most common one is given, what they detect."""
    named = explained(labels)
    often = Counter(labels[i].text for i in named).most_common(1)
    return {
        "features": len(labels),
        "live": int(live.sum()),
        "labelled": len(named),
        "labelled_share_of_live": len(named) / max(1, int(live.sum())),
        "most_common_label_share": often[0][1] / int(live.sum()) if often else 0.0,
        "mean_confidence": float(np.mean([labels[i].confidence for i in named])) if named else 0.0,
        "mean_f1": float(np.mean([labels[i].f1 for i in named])) if named else 0.0,
    }


def of_places(vocabulary: Vocabulary, owned: dict[str, np.ndarray]) -> dict[str, Any]:
    """Further metrics: how many places there are, and how much pictures are registered, where that can be said."""
    known = {"registration": float(owned["registration"][0])} if vocabulary.places else {}
    return {"places": len(vocabulary.places), **known}


STAGE = Stage(
    "build_atlas",
    (prepare_data.STAGE, train_vae.STAGE, encode_latents.STAGE),
    lambda c: asdict(c.atlas) | {"vocabulary": vocabulary_settings(c)},
    work,
    version=2,
    reads=vocabulary_file,
    either=DICTIONARIES,
    defining=lambda settings: without(settings, AtlasExecution),
)

if __name__ == "__main__":
    run_command(__doc__, lambda config: complete(STAGE, config))
