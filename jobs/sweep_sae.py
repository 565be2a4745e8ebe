"""Sweep sparse autoencoders with Ray Tune, judge each dictionary on held-out latents, and choose one.

    python -m jobs.sweep_sae preset=quick run=runs/demo
    python -m jobs.sweep_sae run=runs/demo 'sweep.objectives=[l1,matryoshka]' 'sweep.seeds=[0,1,2]' sae.epochs=60
    python -m jobs.sweep_sae run=runs/demo sweep.search=target sweep.target_l0=20     # Optuna: least FVU at that L0
    tensorboard --logdir runs/demo/sweep

Reads `<run>/data`, `<run>/vae` and `<run>/latents`; Tune's files go to `<run>/sweep`. Writes `<run>/sweep_report`:
`trials.json` with the choice and its reason, `pareto.png`, and every dictionary in `dictionaries/`.
`python -m jobs.report_sae` then makes a page of it.
"""

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ray import tune
from ray.tune.schedulers import ASHAScheduler

from jobs import encode_latents, prepare_data, train_vae
from jobs.runtime.cluster import connect, granted_device, quiet, storage
from jobs.runtime.prometheus import Gauges, run_of
from jobs.runtime.run_vocabulary import run_vocabulary, vocabulary_file, vocabulary_settings
from jobs.runtime.stage import Stage, StageError, complete, run_command, say
from swiggle.atlas.activations import activations_of
from swiggle.atlas.caption_coverage import caption_coverage
from swiggle.captions.vocabulary import Vocabulary
from swiggle.config import RunConfig, SweepExecution, without
from swiggle.data.latents import read_latents, vary
from swiggle.data.reading import captions_of, read_pictures
from swiggle.models.vae import VAE
from swiggle.sae.choice import choose
from swiggle.sae.epochs import train_sae
from swiggle.sae.inputs import mean_to_deviation, moments_of
from swiggle.sae.metrics import decoder_loss_recovered, dictionary_metrics
from swiggle.sae.model import SparseAutoencoder
from swiggle.sae.sweep_figure import draw_sweep
from swiggle.sae.trials import grid, knob_of, miss, name_of
from swiggle.storage import absolute, join, local_copy, publish
from swiggle.training.allocator import keep_freed_memory

SEEN_PICTURES = 512
"""Validation pictures decoded to measure what of a dictionary's loss can be seen."""
RESTARTS = 3
"""How often a trial goes on from its last checkpoint after its worker or node died."""
CURVES = "curves.json"
"""In a checkpoint: what each epoch reported. Tune's own history may lack an epoch after which the worker died."""
CHECKPOINT_VERSION = 2
"""Raised when what a checkpoint holds changes, so that a sweep that older code left unfinished starts anew."""


def trial(parameters: dict[str, Any], config: RunConfig, vocabulary: Vocabulary) -> None:
    """Train one dictionary. Reports the loss's terms each epoch; held-out metrics, with a checkpoint, every
    `sae.checkpoint_every` epochs."""
    quiet()
    keep_freed_memory()
    torch.set_num_threads(max(1, int(config.sweep.cpus_per_trial)))
    device = granted_device()
    with local_copy(join(config.run, "latents")) as folder:
        judged = judged_on(folder)
        ids, latents = read_latents(folder, "train")
        judging_ids, judging_latents = (ids, latents) if judged == "train" else read_latents(folder, judged)
    train, judging = torch.from_numpy(latents), torch.from_numpy(judging_latents)
    with local_copy(join(config.run, "vae")) as folder:
        vae = VAE.from_pretrained(folder, device)
    with local_copy(join(config.run, "data")) as folder:
        pictures = read_pictures(folder / judged, config.vae.image_size, SEEN_PICTURES)
    sae_config = replace(config.sae, **parameters["sae"], latent_dim=train.shape[1])
    name = name_of(asdict(sae_config))
    told = Gauges("sweep", run=run_of(config.run), trial=name)

    state, curves = None, {}
    if checkpoint := tune.get_checkpoint():
        with checkpoint.as_directory() as saved:
            state = torch.load(Path(saved) / "training.pt", map_location=device, weights_only=True)
            curves = json.loads((Path(saved) / CURVES).read_text())
    for epoch in train_sae(train.to(device), sae_config, state):
        told.set(epoch=epoch.number, loss=epoch.terms["loss"])
        seen = {"epoch": epoch.number, **{f"train_{term}": value for term, value in epoch.terms.items()}}
        for term, value in seen.items():
            curves.setdefault(term, []).append(value)
        if epoch.number % sae_config.checkpoint_every and epoch.number != sae_config.epochs:
            if config.sweep.search == "grid":  # Optuna wants its metric in every report
                tune.report(seen)
            continue
        folded = epoch.folded()
        metrics = dictionary_metrics(folded, judging)
        metrics["decoder_loss_recovered"] = decoder_loss_recovered(vae, folded, pictures.images, train.mean(dim=0))
        metrics["miss"] = miss(metrics, config.sweep)
        told.set(**{known: metrics[known] for known in ("fvu", "l0", "dead", "decoder_loss_recovered")})
        if epoch.number == sae_config.epochs:
            stands = said_by_features(
                folded, (ids, latents), judged, (judging_ids, judging_latents), config, vocabulary
            )
            if stands is not None:  # 0 is a score, and the worst there is
                metrics["caption_coverage"] = stands
        say(
            "sweep_sae",
            f"{name}, epoch {epoch.number}/{sae_config.epochs}: FVU {metrics['fvu']:.4f}, "
            f"L0 {metrics['l0']:.1f}, dead {metrics['dead']:.1%}",
        )
        with tempfile.TemporaryDirectory() as saved:
            torch.save(epoch.state(), Path(saved) / "training.pt")
            (Path(saved) / CURVES).write_text(json.dumps(curves))
            folded.save_pretrained(Path(saved) / "sae")
            tune.report({**seen, **metrics}, checkpoint=tune.Checkpoint.from_directory(saved))


def judged_on(latents: Path) -> str:
    """The split that dictionaries are judged on: validation, or train where a set is too small to hold some out."""
    return "validation" if vary(read_latents(latents, "validation")[1]) else "train"


def said_by_features(
    sae: SparseAutoencoder,
    train: tuple[np.ndarray, np.ndarray],
    judged: str,
    held_out: tuple[np.ndarray, np.ndarray],
    config: RunConfig,
    vocabulary: Vocabulary,
) -> float | None:
    """How well features stand for what captions say; None without captions. Ids and latents of the training split and
    of the one that is `judged`."""
    with local_copy(join(config.run, "data")) as data:
        said = [captions_of(data / split, ids) for split, (ids, _) in (("train", train), (judged, held_out))]
    codes = [activations_of(sae, latents) for _, latents in (train, held_out)]
    return caption_coverage((codes[0], said[0]), (codes[1], said[1]), vocabulary)


def what_to_try(config: RunConfig) -> tuple[dict[str, Any], tune.TuneConfig]:
    """The trials, and how they are scheduled."""
    sweep = config.sweep
    if sweep.search == "grid":  # every trial to its end: one that is stopped early for its FVU is a sparse one
        return {"sae": tune.grid_search(grid(config))}, tune.TuneConfig(max_concurrent_trials=sweep.concurrent)
    try:
        from ray.tune.search.optuna import OptunaSearch

        search = OptunaSearch(metric="miss", mode="min", seed=config.sae.seed)
    except (ImportError, AssertionError) as missing:
        raise StageError("sweep.search=target needs Optuna: pip install 'swiggle[search]'") from missing
    if len(sweep.objectives) != 1:
        raise StageError("sweep.search=target looks for one objective at a time: sweep.objectives=[l1]")
    objective = sweep.objectives[0]
    if (knob := knob_of(objective)) == "l1":
        values = tune.loguniform(min(sweep.l1), max(sweep.l1))
    else:
        values = tune.randint(min(sweep.k), max(sweep.k) + 1)
    space = {"sae": {"objective": objective, knob: values}}
    if sweep.lr:
        space["sae"]["lr"] = tune.loguniform(min(sweep.lr), max(sweep.lr))
    stopping = ASHAScheduler(
        metric="miss",
        mode="min",
        time_attr="epoch",
        max_t=config.sae.epochs,
        grace_period=max(1, config.sae.epochs // 2),  # L0 falls for long; before that, who is nearest says little
        reduction_factor=2,
    )
    return space, tune.TuneConfig(
        max_concurrent_trials=sweep.concurrent, num_samples=sweep.samples, search_alg=search, scheduler=stopping
    )


def experiment_name(run: str, key: str) -> str:
    """What Tune knows a sweep by. The place of the run is in it: trials remember where they write, and those of a run
    that was copied or moved would go on in the old one. There a sweep starts anew."""
    return f"{key}-{CHECKPOINT_VERSION}-{hashlib.sha256(absolute(run).encode()).hexdigest()[:8]}"


def run_sweep(config: RunConfig, key: str) -> tune.ResultGrid:
    """All trials to their end, going on from a sweep that was killed."""
    # Tune's own handler would end the sweep as if it were complete.
    os.environ["TUNE_DISABLE_SIGINT_HANDLER"] = "1"
    os.environ["TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S"] = "0"
    os.environ["TUNE_DISABLE_STRICT_METRIC_CHECKING"] = "1"  # held-out metrics come with checkpoints only
    resources = {"cpu": config.sweep.cpus_per_trial, "gpu": config.sweep.gpus_per_trial}
    # Not among the trial's parameters, so that a restored sweep looks for its data where the run is now.
    given = tune.with_parameters(trial, config=config, vocabulary=run_vocabulary(config, STAGE.name))
    trainable = tune.with_resources(given, resources)
    place = storage(join(config.run, "sweep"))
    name = experiment_name(config.run, key)
    before, known = f"{place['storage_path']}/{name}", place["storage_filesystem"]
    if tune.Tuner.can_restore(before, known):
        say("sweep_sae", "going on with the sweep that was stopped")
        return tune.Tuner.restore(before, trainable, resume_errored=True, storage_filesystem=known).fit()
    space, how = what_to_try(config)
    return tune.Tuner(
        trainable,
        param_space=space,
        tune_config=how,
        run_config=tune.RunConfig(
            name=name,
            **place,
            verbose=0,
            # The last two: what Tune remembers of a trial lags behind, and may name the one before the newest.
            checkpoint_config=tune.CheckpointConfig(num_to_keep=2),
            failure_config=tune.FailureConfig(max_failures=RESTARTS),
        ),
    ).fit()


def summary(result: Any, config: RunConfig) -> dict[str, Any]:
    """A finished trial: its settings, its last held-out metrics and its curves, one value an epoch.

    Raises `StageError` if nothing of its training was kept.
    """
    if result.checkpoint is None:
        raise StageError(f"the trial at {result.path} has no checkpoint")
    with result.checkpoint.as_directory() as saved:
        curves = json.loads((Path(saved) / CURVES).read_text())
    metrics = dict(result.metrics or {})
    settings = {**{key: getattr(config.sae, key) for key in ("features", "lr", "seed")}, **metrics["config"]["sae"]}
    known = {name for name, value in metrics.items() if isinstance(value, float | list)}
    return {
        "name": name_of(settings),
        **settings,
        "epoch": metrics["epoch"],
        **{name: metrics[name] for name in sorted(known) if not name.startswith(("train_", "time_"))},
        "curves": curves,
    }


def work(config: RunConfig, key: str) -> dict[str, Any]:
    config = connect(config, STAGE.name)
    results = run_sweep(config, key)
    if results.num_errors:
        raise results.errors[0]
    measured = [result for result in results if "fvu" in (result.metrics or {})]
    # A search may draw the same settings twice; the longer training of the two is the dictionary.
    longest_last = sorted(((summary(result, config), result) for result in measured), key=lambda pair: pair[0]["epoch"])
    by_name = {description["name"]: (description, result) for description, result in longest_last}
    trials, finished = [pair[0] for pair in by_name.values()], [pair[1] for pair in by_name.values()]
    # One that was stopped early is shown, and not chosen.
    complete_ones = [index for index, trial in enumerate(trials) if trial["epoch"] == config.sae.epochs]
    if not any("caption_coverage" in trial for trial in trials):
        say(STAGE.name, "no captions were found, so a dictionary is chosen by its FVU and not by what it stands for")
    with local_copy(join(config.run, "latents")) as folder:
        judged = judged_on(folder)
        latents = read_latents(folder, "train")[1]
    away = mean_to_deviation(moments_of(latents, whole=False)) if vary(latents) else None
    if away is not None:
        say(STAGE.name, f"the mean of the latents lies {away:.2f} of their deviations from the origin")
    if judged == "train":
        say(STAGE.name, "too few validation pictures to judge by; dictionaries are judged on the training pictures")
    scored_on = "training" if judged == "train" else "held-out"
    best, reason = choose([trials[index] for index in complete_ones], config.sweep, scored_on)
    chosen = complete_ones[best]
    with publish(join(config.run, "sweep_report")) as folder:
        report = {"chosen": chosen, "reason": reason, "mean_to_deviation": away, "trials": trials}
        (folder / "trials.json").write_text(json.dumps(report) + "\n")
        draw_sweep(trials, chosen, folder / "pareto.png")
        for description, result in zip(trials, finished, strict=True):
            with result.checkpoint.as_directory() as saved:
                shutil.copytree(Path(saved) / "sae", folder / "dictionaries" / description["name"])
        test = held_out(SparseAutoencoder.from_pretrained(folder / "dictionaries" / trials[chosen]["name"]), config)
    return {"reason": reason, **test}


def held_out(sae: SparseAutoencoder, config: RunConfig) -> dict[str, Any]:
    """The chosen dictionary on the test split, which no choice has seen; nothing where that is too small."""
    with local_copy(join(config.run, "latents")) as folder:
        latents = read_latents(folder, "test")[1]
    if not vary(latents):
        say(STAGE.name, "too few test pictures to score on; scores are left out")
        return {}
    return dictionary_metrics(sae, torch.from_numpy(latents))


STAGE = Stage(
    "sweep_sae",
    (prepare_data.STAGE, train_vae.STAGE, encode_latents.STAGE),
    lambda c: {"sae": asdict(c.sae), "sweep": asdict(c.sweep), "vocabulary": vocabulary_settings(c)},
    work,
    reads=vocabulary_file,
    defining=lambda settings: settings | {"sweep": without(settings["sweep"], SweepExecution)},
)

if __name__ == "__main__":
    run_command(__doc__, lambda config: complete(STAGE, config))
