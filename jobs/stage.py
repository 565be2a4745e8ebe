"""A stage of the pipeline: done once, skipped while it is still right, named when its inputs are missing.

A finished stage leaves `<run>/stages/<name>.json`: a fingerprint of the settings it depends on, the identity of each
stage it read, and its metrics. It is done again when any of these differ.
"""

import argparse
import hashlib
import json
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from swiggle.config import RunConfig
from swiggle.overrides import ConfigError, known_keys, load_config
from swiggle.storage import absolute, check_reachable, join, read_json, write_json
from swiggle.errors import SwiggleError

KEY_LENGTH = 12


class StageError(SwiggleError, RuntimeError):
    """A stage that cannot run; the message says what is missing."""


@dataclass(frozen=True)
class Stage:
    name: str
    needs: tuple[str, ...]
    """Stages whose output this one reads."""
    settings: Callable[[RunConfig], dict[str, Any]]
    """The part of the configuration that the result depends on."""
    work: Callable[[RunConfig, str], dict[str, Any]]
    """(config, key) -> metrics. The key names working folders: a killed run is resumed, a changed one is not."""


def record_uri(config: RunConfig, name: str) -> str:
    return join(config.run, "stages", f"{name}.json")


def finished(name: str, config: RunConfig, reader: str) -> dict[str, Any]:
    """The record of a stage that `reader` reads. Raises `StageError` when it is not done."""
    record = read_json(record_uri(config, name))
    if record is None:
        raise StageError(f"{reader} reads what {name} makes; run python -m jobs.{name} run={config.run} first")
    return record


def key_of(record: dict[str, Any]) -> str:
    """The key under which a finished stage worked."""
    return record["fingerprint"][:KEY_LENGTH]


def complete(stage: Stage, config: RunConfig) -> dict[str, Any]:
    """Do the stage unless it is done; returns its record. Raises `StageError` when a stage it needs is not done."""
    inputs = {name: finished(name, config, stage.name)["id"] for name in stage.needs}
    wanted = {"settings": stage.settings(config), "inputs": inputs}
    fingerprint = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()
    record = read_json(record_uri(config, stage.name))
    if record and record["fingerprint"] == fingerprint:
        say(stage.name, f"done before, in {record['seconds']:.0f} s")
        return record
    say(stage.name, "started")
    start = time.monotonic()
    metrics = stage.work(config, fingerprint[:KEY_LENGTH])
    seconds = round(time.monotonic() - start, 1)
    record = {"id": uuid.uuid4().hex, "fingerprint": fingerprint, "seconds": seconds, "metrics": metrics, **wanted}
    write_json(record_uri(config, stage.name), record)
    say(stage.name, f"done in {seconds:.0f} s: {summary(metrics)}")
    return record


def summary(metrics: dict[str, Any]) -> str:
    """The plain numbers and words among the metrics, on one line."""
    shown = {k: f"{v:.4g}" if isinstance(v, float) else str(v) for k, v in metrics.items() if _is_short(v)}
    return ", ".join(f"{key} {value}" for key, value in shown.items())


def _is_short(value: Any) -> bool:
    return isinstance(value, int | float) or (isinstance(value, str) and len(value) < 200)


def say(stage: str, message: str) -> None:
    """One line of progress, seen at once in a terminal and in `ray job logs`."""
    print(f"[{time.strftime('%H:%M:%S')}] {stage}: {message}", flush=True)


def read_command_line(description: str | None) -> RunConfig:
    """The configuration that the command line asks for; a bad one ends the program with the reason."""
    parser = argparse.ArgumentParser(
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="keys: preset config " + " ".join(known_keys()[1:]),
    )
    parser.add_argument("settings", nargs="*", metavar="key=value", help="overrides, for example vae.steps=100")
    words = parser.parse_args().settings
    try:
        config = load_config(words)
    except ConfigError as error:
        parser.error(str(error))
    # Workers run in folders of their own, where a relative path means something else.
    config.run = absolute(config.run)
    return config


def run_command(description: str | None, work: Callable[[RunConfig], object]) -> None:
    """A job's `main`: run `work`, answer Ctrl-C and known failures with a sentence instead of a traceback."""
    config = read_command_line(description)
    try:
        check_reachable(config.run)
        work(config)
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from here", file=sys.stderr)
        sys.exit(130)
    except (StageError, ConfigError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
