"""Seal the run as a bundle: `bundle.json` with every stage's settings and metrics and the hash of each file.

python -m jobs.seal_bundle preset=quick run=runs/demo
"""

import json
from typing import Any

from jobs import build_atlas, encode_latents, prepare_data, sweep_sae, train_vae
from jobs.runtime.stage import Stage, complete, current, run_command
from swiggle.config import RunConfig
from swiggle.manifest import NAME, PARTS, covered_files, make_manifest
from swiggle.storage import join, local_copy, write_json

STAGES = (prepare_data.STAGE, train_vae.STAGE, encode_latents.STAGE, sweep_sae.STAGE, build_atlas.STAGE)


def work(config: RunConfig, key: str) -> dict[str, Any]:
    records = {stage.name: current(stage, config, STAGE.name) for stage in STAGES}
    settings = {name: record["settings"] for name, record in records.items()}
    metrics = {name: {"seconds": record["seconds"], **record["metrics"]} for name, record in records.items()}
    with local_copy(config.run, PARTS) as folder:
        manifest = make_manifest(folder, settings, metrics)
        size = sum(path.stat().st_size for path in covered_files(folder))
    # Through JSON once, so that what is sealed is what will be read.
    write_json(join(config.run, NAME), json.loads(json.dumps(manifest)))
    return {"files": len(manifest["files"]), "megabytes": size / 1e6}


STAGE = Stage("seal_bundle", STAGES, lambda c: {}, work)

if __name__ == "__main__":
    run_command(__doc__, lambda config: complete(STAGE, config))
