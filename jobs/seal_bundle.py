"""Seal the run as a bundle: `bundle.json` with every stage's settings and metrics and the hash of each file.

    python -m jobs.seal_bundle preset=quick run=runs/demo
    python -m jobs.seal_bundle preset=quick run=runs/demo dictionary=train_sae

Writes `<run>/sae`: the dictionary that the atlas is of, and `choice.json`, which says why it is this one. A dictionary
that hand labels belong to is kept aside before.
"""

import json
import shutil
from typing import Any

from jobs import build_atlas, encode_latents, prepare_data, train_vae
from jobs.runtime.dictionary import chosen_dictionary
from jobs.runtime.stage import Stage, complete, current, run_command
from swiggle.atlas.label_move import keep_labelled
from swiggle.config import RunConfig
from swiggle.manifest import NAME, PARTS, covered_files, make_manifest
from swiggle.storage import is_local, join, local_copy, local_path, publish, write_json


def work(config: RunConfig, key: str) -> dict[str, Any]:
    records = {stage.name: current(stage, config, STAGE.name) for stage in STAGE.above(config)}
    settings = {name: record["settings"] for name, record in records.items()}
    metrics = {name: {"seconds": record["seconds"], **record["metrics"]} for name, record in records.items()}
    if is_local(config.run):
        keep_labelled(local_path(config.run))
    place, about = chosen_dictionary(config)
    with local_copy(place) as dictionary, publish(join(config.run, "sae")) as folder:
        shutil.copytree(dictionary, folder, dirs_exist_ok=True)
        (folder / "choice.json").write_text(json.dumps(about, indent=1) + "\n")
    with local_copy(config.run, PARTS) as folder:
        manifest = make_manifest(folder, settings, metrics)
        size = sum(path.stat().st_size for path in covered_files(folder))
    # Through JSON once, so that what is sealed is what will be read.
    write_json(join(config.run, NAME), json.loads(json.dumps(manifest)))
    return {"files": len(manifest["files"]), "megabytes": size / 1e6}


STAGE = Stage(
    "seal_bundle",
    (prepare_data.STAGE, train_vae.STAGE, encode_latents.STAGE, build_atlas.STAGE),
    lambda c: {},
    work,
    either=build_atlas.DICTIONARIES,
)

if __name__ == "__main__":
    run_command(__doc__, lambda config: complete(STAGE, config))
