"""Every stage of a preset on the GPUs there are: seconds, and what each says of itself, as a table.

    python -m benchmarks.gpu_stages preset=paper run=runs/gpu vae.steps=30000

Stages run in one Ray cluster, those that others need first and reports last. One that takes longer than `LIMITS` is
stopped, and those that do not need it go on.
"""

import json
import signal
import sys
import time
from types import FrameType
from typing import Any

import ray

from jobs import (
    build_atlas,
    encode_latents,
    prepare_data,
    report_atlas,
    report_sae,
    report_vae,
    seal_bundle,
    sweep_sae,
    train_vae,
)
from jobs.runtime.stage import complete, read_command_line, say
from swiggle.overrides import load_config
from swiggle.storage import absolute

LIMITS = {
    prepare_data: 60, train_vae: 240, encode_latents: 60, sweep_sae: 150, build_atlas: 240, seal_bundle: 30,
    report_vae: 90, report_sae: 240, report_atlas: 120,
}  # fmt: skip


def too_long(number: int, frame: FrameType | None) -> None:
    raise TimeoutError("it took longer than its limit")


def main() -> None:
    config = load_config(read_command_line(__doc__))
    config.run = absolute(config.run)
    signal.signal(signal.SIGALRM, too_long)
    rows: list[tuple[str, str, dict[str, Any]]] = []
    for module, limit in LIMITS.items():
        stage = module.STAGE
        signal.alarm(limit)
        start = time.monotonic()
        try:
            record = complete(stage, config)
            rows.append((stage.name, f"{record['seconds']:.1f}", record["metrics"]))
        except Exception as error:  # the next one tells something too
            say(stage.name, f"failed: {type(error).__name__}: {error}")
            rows.append((stage.name, f"failed after {time.monotonic() - start:.0f}", {}))
        finally:
            signal.alarm(0)
    ray.shutdown()
    print("\n| stage | seconds | |\n|---|---|---|")
    for name, seconds, metrics in rows:
        told = {key: round(value, 4) for key, value in metrics.items() if isinstance(value, int | float)}
        print(f"| `{name}` | {seconds} | {json.dumps(told)[1:-1]} |")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
