"""The whole way from pictures to a bundle that serves.

    python -m jobs.pipeline preset=quick run=runs/demo
    python -m jobs.pipeline preset=paper data.count=2000 vae.steps=100
    python -m jobs.pipeline run=runs/wide dictionary=train_sae sae.features=65536 train_sae.workers=8
    ray job submit --working-dir . -- python -m jobs.pipeline preset=quick run=/shared/demo

Stages, each also a command of its own: prepare_data, train_vae, encode_latents, report_vae, sweep_sae, report_sae,
build_atlas, seal_bundle; with `dictionary=train_sae` that stage in place of the sweep and its report. What is done and
still right is skipped; what was stopped goes on where it was.
"""

import time

import ray

from jobs import (
    build_atlas,
    encode_latents,
    prepare_data,
    report_sae,
    report_vae,
    seal_bundle,
    sweep_sae,
    train_sae,
    train_vae,
)
from jobs.runtime.stage import Stage, complete, run_command, say
from swiggle.config import RunConfig


def stages(config: RunConfig) -> tuple[Stage, ...]:
    dictionary = (train_sae.STAGE,) if config.dictionary == "train_sae" else (sweep_sae.STAGE, report_sae.STAGE)
    encoded = (prepare_data.STAGE, train_vae.STAGE, encode_latents.STAGE, report_vae.STAGE)
    return (*encoded, *dictionary, build_atlas.STAGE, seal_bundle.STAGE)


def run_pipeline(config: RunConfig) -> None:
    start = time.monotonic()
    for number, stage in enumerate(wanted := stages(config), start=1):
        say("pipeline", f"stage {number} of {len(wanted)}: {stage.name}")
        complete(stage, config)
    if ray.is_initialized():
        ray.shutdown()
    say("pipeline", f"bundle ready in {config.run} after {(time.monotonic() - start) / 60:.1f} min")


if __name__ == "__main__":
    run_command(__doc__, run_pipeline, reads_source=True)
