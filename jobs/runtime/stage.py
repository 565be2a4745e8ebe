"""A stage of the pipeline: done once, skipped while it is still right, named when its inputs are missing.

A finished stage leaves `<run>/stages/<name>.json`: a fingerprint of the settings it depends on, the identity of each
stage it read, the content of what it read outside the run, the version of its algorithm, and its metrics. It is done
again when any of these differ, but for settings that only say where it is computed. Nothing reads a stage whose own
inputs, or those of any stage above it, have changed.
"""

import argparse
import hashlib
import json
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.runtime.choosing import settled
from jobs.runtime.screen import screen
from swiggle.config import RunConfig
from swiggle.errors import ConfigError, SwiggleError
from swiggle.overrides import known_keys, load_config
from swiggle.storage import absolute, check_reachable, is_local, join, local_path, read_json, remove_file, write_json

KEY_LENGTH = 12


class StageError(SwiggleError, RuntimeError):
    """A stage that cannot run; the message says what is missing."""


@dataclass(frozen=True)
class Stage:
    name: str
    """Also the module in `jobs` that does it."""
    needs: "tuple[Stage, ...]"
    """Stages whose output this one reads."""
    settings: Callable[[RunConfig], dict[str, Any]]
    """The part of the configuration that the result depends on."""
    work: Callable[[RunConfig, str], dict[str, Any]]
    """(config, key) -> metrics. The key names working folders: a killed run is resumed, a changed one is not."""
    version: int = 1
    """Of the algorithm: raised when the same settings and inputs would now give something else."""
    reads: Callable[[dict[str, Any]], dict[str, str | None]] = lambda settings: {}
    """(settings) -> a hash of each thing outside the run that is read; None for one that is not there."""
    defining: Callable[[dict[str, Any]], dict[str, Any]] = lambda settings: settings
    """(settings) -> those of them that decide the result, where some only say how fast it is computed: with others of
    those the stage is not done again."""

    either: "tuple[Stage, ...]" = ()
    """Stages of which it reads the one that `RunConfig.dictionary` names, beside what it `needs`."""

    def above(self, config: RunConfig) -> "tuple[Stage, ...]":
        """The stages whose output it reads."""
        return (*self.needs, *(stage for stage in self.either if stage.name == config.dictionary))

    def decided_by(self, made: dict[str, Any]) -> tuple[Any, ...]:
        """What decided the result of a record of this stage, or would decide the one that is wanted."""
        return made.get("version", 1), self.defining(made["settings"]), made["inputs"], made.get("reads", {})


def record_uri(config: RunConfig, name: str) -> str:
    return join(config.run, "stages", f"{name}.json")


def current(stage: Stage, config: RunConfig, reader: str) -> dict[str, Any]:
    """The record of a stage that `reader` reads. Raises `StageError`, which names the command to run, when the stage
    is not done, or when it or any stage above it is out of date."""
    record = read_json(record_uri(config, stage.name))
    command = f"run python -m jobs.{stage.name} run={config.run} first"
    if record is None:
        raise StageError(f"{reader} reads what {stage.name} makes; {command}")
    for other in stage.either:
        if other.name != config.dictionary and other.name in record["inputs"]:
            raise StageError(
                f"{reader} reads what {stage.name} makes, which was made of the dictionary of {other.name}: add "
                f"dictionary={other.name}, or {command}"
            )
    above = {need.name: current(need, config, reader)["id"] for need in stage.above(config)}
    if reason := _outdated(stage, record, above):
        raise StageError(f"{reader} reads what {stage.name} makes, which is out of date: {reason}; {command}")
    return record


def _outdated(stage: Stage, record: dict[str, Any], above: dict[str, str]) -> str | None:
    """Why a record no longer stands for what its stage would make with the settings that it had; None if it does.
    `above`: the present id of each stage that it needs."""
    if record.get("version", 1) != stage.version:
        return f"it was made by version {record.get('version', 1)} of its algorithm, and this is {stage.version}"
    if newer := [name for name, present in above.items() if record["inputs"].get(name) != present]:
        return f"{newer[0]} was done again since"
    if changed := _changed(record, stage.reads(record["settings"])):
        return f"the {changed} has changed since"
    return None


def _changed(record: dict[str, Any], reads: dict[str, str | None]) -> str | None:
    """The first thing outside the run that is not what the record says. One that is gone changes nothing: what was
    made of it is there."""
    known = record.get("reads", {})
    return next((name for name, content in reads.items() if content is not None and content != known.get(name)), None)


def key_of(record: dict[str, Any]) -> str:
    """The key under which a finished stage worked."""
    return record["fingerprint"][:KEY_LENGTH]


def complete(stage: Stage, config: RunConfig) -> dict[str, Any]:
    """Do the stage unless it is done; returns its record. Raises `StageError` when a stage it needs is not done or out
    of date.

    The record is withdrawn before the work begins, so that what a killed stage left half written counts for nothing.
    """
    inputs = {need.name: current(need, config, stage.name)["id"] for need in stage.above(config)}
    wanted: dict[str, Any] = {"settings": stage.settings(config), "inputs": inputs}
    reads = stage.reads(wanted["settings"])
    record = read_json(record_uri(config, stage.name))
    if record:
        gone = {name: record["reads"][name] for name in record.get("reads", {}) if reads.get(name) is None}
        for name in gone:
            say(stage.name, f"the {name} is not there to compare; taken to be as it was")
        reads |= gone
    if present := {name: content for name, content in reads.items() if content is not None}:
        wanted["reads"] = present
    fingerprint = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()
    if record and stage.decided_by(record) == stage.decided_by({**wanted, "version": stage.version}):
        say(stage.name, f"done before, in {record['seconds']:.0f} s")
        return record
    say(stage.name, "started")
    remove_file(record_uri(config, stage.name))
    start = time.monotonic()
    try:
        metrics = stage.work(config, fingerprint[:KEY_LENGTH])
    except Exception as error:
        if expected(error) is None:
            topic = "".join(f", {note}" for note in getattr(error, "__notes__", []))
            print(f"{stage.name} met a fault of the program{topic}; where it happened:", file=sys.stderr, flush=True)
        raise
    seconds = round(time.monotonic() - start, 1)
    made = {"id": uuid.uuid4().hex, "fingerprint": fingerprint, "version": stage.version, "seconds": seconds}
    record = {**made, "metrics": metrics, **wanted}
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
    screen.show(f"[{time.strftime('%H:%M:%S')}] {stage}: {message}")


def logs_folder(run: str) -> Path | None:
    """The folder for what is written besides progress: by workers to `workers.log` (`worker_output.py`), by native code
    of the command itself to `driver.log` (`native_output.py`). None of a run on remote storage."""
    return local_path(run) / "logs" if is_local(run) else None


def read_command_line(description: str | None) -> list[str]:
    """The words of the command line; bad ones end the program with the reason."""
    parser = argparse.ArgumentParser(
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="keys: preset config " + " ".join(known_keys()[1:]),
    )
    parser.add_argument("settings", nargs="*", metavar="key=value", help="overrides, for example vae.steps=100")
    words = parser.parse_args().settings
    try:
        load_config(words)
    except ConfigError as error:
        parser.error(str(error))
    return words


def run_command(description: str | None, work: Callable[[RunConfig], object], reads_source: bool = False) -> None:
    """A job's `main`: run `work`, answer Ctrl-C and expected failures with a sentence. Any other exception is a fault
    of the program and keeps its traceback. One that `reads_source` may choose settings from it (`choosing.py`)."""
    words = read_command_line(description)
    try:
        check_reachable(load_config(words).run)
        config, chosen = settled(words, reads_source)
        if chosen:
            say("settings", chosen)
        # Workers run in folders of their own, where a relative path means something else.
        config.run = absolute(config.run)
        work(config)
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from here", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        if (ours := expected(error)) is None:
            rest = logs_folder(absolute(load_config(words).run))
            if rest is not None and rest.exists():
                error.add_note(f"What else was written is in {rest}.")
            raise
        print(f"error: {ours}", file=sys.stderr)
        sys.exit(1)


def expected(error: BaseException) -> SwiggleError | None:
    """The expected failure that an exception is, or that Ray carried out of a worker in it; None for a fault."""
    waiting, seen = [error], set()
    while waiting:
        one = waiting.pop(0)
        seen.add(id(one))
        # Ray's errors keep what was raised in `cause` (a task), in `worker_failures` (Train) or in `__cause__`; the
        # first kind is an instance of the raised type too, with the worker's traceback for a message.
        inner = [getattr(one, "cause", None), *getattr(one, "worker_failures", {}).values(), one.__cause__]
        carried = [other for other in inner if isinstance(other, BaseException) and id(other) not in seen]
        if isinstance(one, SwiggleError) and not isinstance(getattr(one, "cause", None), BaseException):
            return one
        waiting += carried
    return None
