"""Who gets how much of which GPU, where the configuration leaves it open.

Settings of single stages (`vae.gpus_per_worker=1`) hold as they are; what is null follows from how many GPUs there are.
"""

from dataclasses import replace

from swiggle.config import RunConfig

VALIDATION = 0.1
"""Of the card that trains: a validation is short, and needs its memory more than its time."""
READERS = 4
"""Workers on each card that read pictures, send them through it and write pictures. It waits for them with fewer."""
TRIALS = 8
"""Dictionaries trained on a card at a time. One is a third of what it can do, and half the time of each is spent
beside it."""
CHECKPOINT_SECONDS = 5.0
"""A card comes to the next checkpoint of the `quick` preset in half a second; writing and validating it takes as long.
With fewer seconds training waits more often; with more, more is lost when it is stopped."""


def placed(config: RunConfig, gpus: int, cpus: int) -> RunConfig:
    """The configuration with every share of a GPU filled in, and how many share it, for so many GPUs and CPUs."""
    vae, some = config.vae, min(gpus, 1)
    readers = config.atlas.workers or min(READERS * gpus, cpus - 1) or 1
    trials = config.sweep.concurrent or min(TRIALS * gpus, cpus) or 2
    validation = vae.validation_gpus
    if validation is None:
        validation = VALIDATION * some if vae.validation_pictures else 0.0
    # What is left of the card on which the validation runs too.
    own = vae.gpus_per_worker if vae.gpus_per_worker is not None else float(some) - (validation if some else 0.0)
    waits = vae.checkpoint_seconds
    if waits is None:
        waits = CHECKPOINT_SECONDS if own else 0.0
    encoders = config.encode.workers or readers
    return replace(
        config,
        vae=replace(vae, gpus_per_worker=own, validation_gpus=validation, checkpoint_seconds=waits),
        encode=replace(
            config.encode, workers=encoders, gpus_per_worker=_share(config.encode.gpus_per_worker, gpus, encoders)
        ),
        sweep=replace(
            config.sweep, concurrent=trials, gpus_per_trial=_share(config.sweep.gpus_per_trial, gpus, trials)
        ),
        train_sae=replace(config.train_sae, gpus_per_worker=_share(config.train_sae.gpus_per_worker, gpus, 1)),
        atlas=replace(
            config.atlas, workers=readers, gpus_per_worker=_share(config.atlas.gpus_per_worker, gpus, readers)
        ),
    )


def _share(wanted: float | None, gpus: int, users: int) -> float:
    """What each of several users gets of all GPUs, a whole one at most; Ray counts in ten thousandths."""
    return wanted if wanted is not None else min(1.0, int(1e4 * gpus / users) / 1e4)
