"""Who gets how much of which GPU, where the configuration leaves it open.

Settings of single stages (`vae.gpus_per_worker=1`) hold as they are; what is null follows from how many GPUs there are.
"""

from dataclasses import replace

import torch

from swiggle.config import RunConfig

VALIDATION = 0.1
"""Of the card that trains. More or less changes nothing but what else fits beside it: Ray counts shares and enforces
none."""
READERS = 4
"""Workers on each card that read pictures, send them through it and write pictures. With fewer the card waits for
them, more take a CPU each. Four were measured (docs/gpu.md), other numbers not."""
TRIALS = 8
"""Dictionaries trained on a card at a time. `l1` alone reaches two thirds of the samples a second of eight together,
`matryoshka_l1` less than half (docs/gpu.md). With fewer a sweep takes more turns, more take memory and a CPU each."""
CHECKPOINT_SECONDS = 5.0
"""A card comes to the next checkpoint of the `quick` preset in half a second. With fewer seconds training stops for
writing more often; with more, more is lost when it is killed. Other numbers were not measured."""


def usable_gpus(counted: float, here: bool) -> int:
    """How many of the GPUs that Ray counted can be used. `here`: they are this machine's, whose PyTorch may have been
    built without them."""
    return 0 if here and not torch.cuda.is_available() else int(counted)


def placed(config: RunConfig, gpus: int, cpus: int) -> RunConfig:
    """The configuration with every share of a GPU filled in, and how many share it, for so many GPUs and CPUs."""
    vae, some = config.vae, min(gpus, 1)
    readers = config.atlas.workers or min(READERS * gpus, cpus - 1) or 1
    trials = config.sweep.concurrent or min(TRIALS * gpus, cpus) or 2
    own, validation = vae.gpus_per_worker, vae.validation_gpus
    if validation is None:  # a share of the card that trains, unless that is spoken for
        validation = VALIDATION * some if vae.validation_pictures and own is None else 0.0
    if own is None:  # what the validation leaves of its card; a validation with a card of its own leaves all
        own = some * (1.0 - validation if validation < 1.0 else 1.0)
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
