"""Sweep L1 weights with Ray Tune, judge each dictionary on held-out latents, and choose one.

    python -m jobs.sweep_sae preset=quick run=runs/demo
    python -m jobs.sweep_sae run=runs/demo 'sweep.l1=[0.5,1,2,4]' sae.epochs=60
    tensorboard --logdir runs/demo/sweep

Reads `<run>/data`, `<run>/vae` and `<run>/latents`; Tune's files go to `<run>/sweep`. Writes `<run>/sae` (the chosen
dictionary and `choice.json`, the reason) and `<run>/sweep_report` (`trials.json`, `pareto.png`).
"""

import json
import os
import shutil
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from ray import tune

from jobs.cluster import connect, quiet
from jobs.stage import Stage, complete, run_command, say
from swiggle.config import RunConfig
from swiggle.data.latents import read_latents
from swiggle.data.reading import enlarge, read_pictures
from swiggle.models.vae import VAE
from swiggle.sae.choice import choose
from swiggle.sae.figures import draw_sweep
from swiggle.sae.metrics import decoder_loss_recovered, dictionary_metrics
from swiggle.sae.model import SparseAutoencoder
from swiggle.sae.train import train_sae
from swiggle.storage import join, local_copy, publish

SEEN_PICTURES = 512
"""Validation pictures decoded to measure what of a dictionary's loss can be seen."""


def trial(parameters: dict[str, Any], config: RunConfig) -> None:
    """Train one dictionary; report held-out metrics and a checkpoint every `checkpoint_every` epochs."""
    quiet()
    torch.set_num_threads(max(1, int(config.sweep.cpus_per_trial)))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with local_copy(join(config.run, "latents")) as folder:
        train = torch.from_numpy(read_latents(folder, "train")[1])
        validation = torch.from_numpy(read_latents(folder, "validation")[1])
    with local_copy(join(config.run, "vae")) as folder:
        vae = VAE.from_pretrained(folder)
    with local_copy(join(config.run, "data")) as folder:
        pictures = read_pictures(folder / "validation", config.vae.image_size, SEEN_PICTURES)
    images = enlarge(pictures.images, config.vae.image_size)
    sae_config = replace(config.sae, l1=parameters["l1"], latent_dim=train.shape[1])

    state = None
    if checkpoint := tune.get_checkpoint():
        with checkpoint.as_directory() as saved:
            state = torch.load(Path(saved) / "training.pt", map_location=device, weights_only=True)
    for epoch in train_sae(train.to(device), sae_config, state):
        if epoch.number % sae_config.checkpoint_every and epoch.number != sae_config.epochs:
            continue
        folded = epoch.sae.folded(epoch.scale).cpu().eval()
        metrics = dictionary_metrics(folded, validation)
        metrics["decoder_loss_recovered"] = decoder_loss_recovered(vae, folded, images, train.mean(dim=0))
        say(
            "sweep_sae",
            f"l1 {sae_config.l1:g}, epoch {epoch.number}/{sae_config.epochs}: FVU {metrics['fvu']:.4f}, "
            f"L0 {metrics['l0']:.1f}, dead {metrics['dead']:.1%}",
        )
        with tempfile.TemporaryDirectory() as saved:
            torch.save(epoch.state(), Path(saved) / "training.pt")
            folded.save_pretrained(Path(saved) / "sae")
            tune.report(
                {"epoch": epoch.number, "loss": epoch.loss, "l1": sae_config.l1, **metrics},
                checkpoint=tune.Checkpoint.from_directory(saved),
            )


def run_sweep(config: RunConfig, key: str) -> tune.ResultGrid:
    """All trials to their end, going on from a sweep that was killed."""
    # Tune's own handler would end the sweep as if it were complete.
    os.environ["TUNE_DISABLE_SIGINT_HANDLER"] = "1"
    os.environ["TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S"] = "0"
    resources = {"cpu": config.sweep.cpus_per_trial, "gpu": config.sweep.gpus_per_trial}
    # Not among the trial's parameters, so that a restored sweep looks for its data where the run is now.
    trainable = tune.with_resources(tune.with_parameters(trial, config=config), resources)
    storage = join(config.run, "sweep")
    if tune.Tuner.can_restore(join(storage, key)):
        say("sweep_sae", "going on with the sweep that was stopped")
        return tune.Tuner.restore(join(storage, key), trainable=trainable, resume_errored=True).fit()
    return tune.Tuner(
        trainable,
        param_space={"l1": tune.grid_search(config.sweep.l1)},
        tune_config=tune.TuneConfig(max_concurrent_trials=config.sweep.concurrent),
        run_config=tune.RunConfig(
            name=key, storage_path=storage, verbose=0, checkpoint_config=tune.CheckpointConfig(num_to_keep=1)
        ),
    ).fit()


def work(config: RunConfig, key: str) -> dict[str, Any]:
    connect()
    results = run_sweep(config, key)
    if results.num_errors:
        raise results.errors[0]
    trials = [dict(result.metrics or {}) for result in results]
    measured = sorted(k for k in trials[0] if isinstance(trials[0][k], float | list) and not k.startswith("time_"))
    keep = ["l1", "epoch", "loss", *measured]
    trials = [{name: trial[name] for name in dict.fromkeys(keep) if name in trial} for trial in trials]
    chosen, reason = choose(trials, config.sweep)
    checkpoint = results[chosen].checkpoint
    if checkpoint is None:
        raise RuntimeError(f"the chosen trial at {results[chosen].path} has no checkpoint")
    with publish(join(config.run, "sweep_report")) as folder:
        (folder / "trials.json").write_text(json.dumps(trials, indent=1) + "\n")
        draw_sweep(trials, chosen, folder / "pareto.png")
    with checkpoint.as_directory() as saved, publish(join(config.run, "sae")) as folder:
        shutil.copytree(Path(saved) / "sae", folder, dirs_exist_ok=True)
        (folder / "choice.json").write_text(json.dumps({"reason": reason, **trials[chosen]}, indent=1) + "\n")
        test = held_out(SparseAutoencoder.from_pretrained(folder), config)
    return {"reason": reason, **test}


def held_out(sae: SparseAutoencoder, config: RunConfig) -> dict[str, Any]:
    """The chosen dictionary on the test split, which no choice has seen."""
    with local_copy(join(config.run, "latents")) as folder:
        return dictionary_metrics(sae, torch.from_numpy(read_latents(folder, "test")[1]))


STAGE = Stage(
    "sweep_sae",
    ("prepare_data", "train_vae", "encode_latents"),
    lambda c: {"sae": asdict(c.sae), "sweep": asdict(c.sweep)},
    work,
)

if __name__ == "__main__":
    run_command(__doc__, lambda config: complete(STAGE, config))
