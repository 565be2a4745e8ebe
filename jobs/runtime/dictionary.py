"""Which of a run's dictionaries goes on: is interpreted, sealed and served. `RunConfig.dictionary` names its stage."""

from typing import Any

from jobs.runtime.stage import record_uri
from swiggle.config import RunConfig
from swiggle.storage import join, read_json


def chosen_dictionary(config: RunConfig) -> tuple[str, dict[str, Any]]:
    """Where it is, and what is known of it: `name`, `reason`, settings and scores. Its stage must be done."""
    if config.dictionary == "train_sae":
        record = read_json(record_uri(config, "train_sae")) or {}
        about = {"name": "train_sae", "reason": "dictionary=train_sae was asked for"}
        return join(config.run, "train_sae", "dictionary"), {**about, **record["settings"]["sae"], **record["metrics"]}
    report = read_json(join(config.run, "sweep_report", "trials.json")) or {}
    trial = report["trials"][report["chosen"]]
    return join(config.run, "sweep_report", "dictionaries", trial["name"]), {"reason": report["reason"], **trial}
