"""Edit all pictures of a source with a finished run: by a prompt, or by a plan that the page or the API gave.

    python -m jobs.edit run=runs/demo source=pictures/ to=edited prompt="make it a shark"
    python -m jobs.edit run=s3://bucket/run source=table.parquet to=s3://bucket/edited plan=plan.json
    ray job submit --working-dir . -- python -m jobs.edit run=/shared/demo source=/shared/new to=/shared/out plan=...

`source` is whatever `data.source` takes (docs/own-pictures.md); `data.image_column` and the like may stand beside it.
Pictures are brought to the run's size and ground as its own were. For a prompt each picture gets a plan of its own,
which depends on what stands in the way there; a plan is applied as it is. Written is a table, `<to>/table/*.parquet`,
with `name`, `image` and the `plan` as JSON; where `to` is on this machine the pictures are files too, in
`<to>/pictures`, with a `metadata.jsonl`, so that they are a source themselves. Pictures that cannot be read are named
and left out. What is at `to` already is never written over.
"""

import itertools
import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePath

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from pyarrow.fs import FileType
from pydantic import ValidationError
from ray.data import ActorPoolStrategy

from jobs.runtime.cluster import connect, granted_device, quiet, read_rows, write_rows
from jobs.runtime.stage import StageError, read_command_line, run_command, say
from swiggle.bundle import Bundle
from swiggle.config import DataConfig, RunConfig
from swiggle.data.fitting import fit
from swiggle.data.pixels import PictureError, decode_import, decode_picture, encode_png, resize
from swiggle.data.raw import no_picture, printable
from swiggle.data.sources import PART_ROWS, raw_pictures
from swiggle.editing.composer import Picture
from swiggle.editing.plan import EditPlan, PlanError
from swiggle.errors import problems
from swiggle.manifest import ground_of
from swiggle.prompts.understanding import Request
from swiggle.storage import (
    absolute,
    copy_into,
    filesystem_of,
    is_local,
    join,
    local_path,
    publish_at,
    read_json,
    remove,
)

NAME = "edit"
NAMED = 10
"""Pictures that cannot be read that are named; the others are counted."""
_ENDING = re.compile(r"\.\w+$")
_IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_READ = pa.schema([("name", pa.string()), ("image", _IMAGE)])
_EDITED = pa.schema([("name", pa.string()), ("image", _IMAGE), ("plan", pa.string())])


@dataclass(frozen=True)
class Wanted:
    """What is to be done: by a `prompt` or by the `plan` in a JSON file; `to`, where the edited pictures go."""

    to: str
    prompt: str | None = None
    plan: str | None = None

    @classmethod
    def read(cls, words: Sequence[str]) -> tuple["Wanted", list[str]]:
        """This command's own words, and those that are settings of a run. Raises `StageError` for what is missing."""
        own: dict[str, str] = {}
        rest = []
        for word in words:
            key, _, value = word.partition("=")
            if key in ("to", "prompt", "plan"):
                own[key] = value
            else:
                rest.append(f"data.{word}" if key == "source" else word)
        if "to" not in own:
            raise StageError("to= is missing: where the edited pictures are to be written")
        if ("prompt" in own) == ("plan" in own):
            raise StageError("either prompt= or plan= is needed: what is to be done to the pictures")
        return cls(**own), rest


class Editor:
    """Edits batches of pictures: by what is requested, or by one plan for all."""

    def __init__(self, run: str, requests: list[Request], plan: EditPlan | None) -> None:
        quiet()
        torch.set_num_threads(1)
        self.bundle = Bundle.load(run, granted_device())
        self.requests, self.plan = requests, plan

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Columns `name` and `image` to those and `plan`."""
        if not batch.num_rows:
            return _EDITED.empty_table()
        pictures = [decode_picture(image["bytes"]) for image in batch["image"].to_pylist()]
        latents = self.bundle.encode(np.stack(pictures))
        activations = self.bundle.activations(latents)
        images, plans = [], []
        for latent, active in zip(latents, activations, strict=True):
            plan = self.plan
            if plan is None:
                plan = self.bundle.composer.compose(self.requests, Picture(active, latent.ravel())).plan
            edited = self.bundle.steering.steer(torch.from_numpy(latent[None]), plan)[0]
            images.append({"bytes": encode_png(edited), "path": None})
            plans.append(plan.model_dump_json(by_alias=True))
        return pa.table([batch["name"], pa.array(images, _IMAGE), plans], schema=_EDITED)


def prepared(data: DataConfig, size: int) -> Iterator[dict[str, object]]:
    """The readable pictures of a source by name, as PNG of `size` a side; tells which are left out, and why."""
    left_out = 0
    for raw in raw_pictures(data):
        try:
            if problem := raw.problem or no_picture(raw.content[:64]):
                raise PictureError(problem)
            picture = resize(fit(decode_import(raw.content, size, data.ground), size), size)
        except PictureError as error:
            left_out += 1
            if left_out <= NAMED:
                say(NAME, f"{printable(raw.name)} is left out: {error}")
            continue
        yield {"name": printable(raw.name), "image": {"bytes": encode_png(picture), "path": None}}
    if left_out > NAMED:
        say(NAME, f"{left_out} pictures in all are left out")


def write_parts(pictures: Iterator[dict[str, object]], folder: Path) -> int:
    """Write pictures as Parquet files, a part at a time. Returns how many there were."""
    count = 0
    for number in itertools.count():
        rows = list(itertools.islice(pictures, PART_ROWS))
        if not rows:
            break
        table = pa.Table.from_pylist(rows, _READ)
        pq.write_table(table, folder / f"part-{number:05}.parquet", row_group_size=256)
        count += len(rows)
    return count


def understood(bundle: Bundle, prompt: str) -> list[Request]:
    """What a prompt asks for; tells which requests the run knows nothing of. Raises `StageError` where that is all."""
    requests = bundle.planner.understand(prompt)
    unknown = [r for r in requests if not bundle.composer.knows(r.clause, [m.feature for m in r.found.matched])]
    if len(unknown) == len(requests):
        nearest = [label for request in unknown for label in request.found.nearest][:3]
        near = f"; the nearest labels are {', '.join(nearest)}" if nearest else ""
        raise StageError(f"prompt: {prompt!r} asks for nothing that this run knows{near}")
    for request in unknown:
        say(NAME, f"{request.clause.text!r} is left undone: it asks for nothing that this run knows")
    return requests


def read_plan(place: str, dictionary: str) -> EditPlan:
    """The plan in a JSON file, or in what the API answered with one. Raises `StageError`, and `PlanError` where it is
    of another dictionary or copies from other pictures."""
    document = read_json(place)
    if document is None:
        raise StageError(f"plan: there is no file {place}")
    try:
        plan = EditPlan.model_validate(document.get("plan", document) if isinstance(document, dict) else document)
    except ValidationError as error:
        raise StageError(f"plan: {place}: {problems(error)}") from error
    plan.check(dictionary)
    if any(operation.op == "swap" for operation in plan.operations):
        raise PlanError(f"plan: {place} copies from a picture of its own, which the source has not")
    return plan


def write_files(table: str, folder: Path) -> None:
    """The pictures of a written table as files with their names, and `metadata.jsonl`."""
    folder.mkdir()
    taken: set[str] = set()
    again: Counter[str] = Counter()
    with (folder / "metadata.jsonl").open("w", encoding="utf-8") as listed:
        for part in sorted(Path(table).glob("*.parquet")):
            for row in pq.read_table(part).to_pylist():
                stem = _ENDING.sub("", PurePath(row["name"]).name)  # of "part.parquet row 3" all
                name = f"{stem}.png"
                while name in taken:
                    again[stem] += 1
                    name = f"{stem}-{again[stem] + 1}.png"
                taken.add(name)
                (folder / name).write_bytes(row["image"]["bytes"])
                listed.write(json.dumps({"file_name": name, "of": row["name"], "plan": row["plan"]}) + "\n")


def edit(wanted: Wanted, config: RunConfig) -> None:
    """Edit all pictures of `data.source`."""
    to = absolute(wanted.to)
    filesystem, path = filesystem_of(to)
    if filesystem.get_file_info(path).type != FileType.NotFound:
        raise StageError(f"to: {to} is there already, and nothing is written over; name another place or remove it")
    bundle = Bundle.load(config.run)
    plan = None if wanted.plan is None else read_plan(absolute(wanted.plan), bundle.dictionary)
    requests = understood(bundle, wanted.prompt) if wanted.prompt is not None else []
    config = connect(config, NAME)
    with publish_at(to) as output, tempfile.TemporaryDirectory(prefix="swiggle-") as local:
        data = replace(config.data, count=None, ground=ground_of(bundle.manifest))
        count = write_parts(prepared(data, bundle.image_size), Path(local))
        if not count:
            raise StageError(f"data.source: {data.source!r} has no picture that can be read")
        say(NAME, f"{count:,} pictures read, brought to {bundle.image_size} x {bundle.image_size}")
        read = join(output, "read")  # where every node can see it
        copy_into(Path(local), read)
        edited = read_rows(read).map_batches(
            Editor,
            fn_constructor_kwargs={"run": config.run, "requests": requests, "plan": plan},
            batch_format="pyarrow",
            batch_size=256,
            num_cpus=1,
            num_gpus=config.encode.gpus_per_worker,
            compute=ActorPoolStrategy(size=config.encode.workers),
        )
        write_rows(edited, join(output, "table"))
        remove(read)
        if is_local(output):
            write_files(join(output, "table"), local_path(output) / "pictures")
    say(NAME, f"done: {count:,} pictures in {to}")


def main() -> None:
    if {"-h", "--help"} & set(sys.argv[1:]):
        read_command_line(__doc__)
    try:
        wanted, sys.argv[1:] = Wanted.read(sys.argv[1:])
    except StageError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    run_command(__doc__, partial(edit, wanted))


if __name__ == "__main__":
    main()
