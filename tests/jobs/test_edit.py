"""Pictures edited in bulk, by a prompt and by a plan."""

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from jobs.edit import Wanted, prepared, read_plan, understood, write_files, write_parts
from jobs.runtime.stage import StageError
from swiggle.bundle import Bundle
from swiggle.config import DataConfig
from swiggle.data.pixels import decode_picture, encode_png
from swiggle.editing.plan import EditPlan, OtherDictionary, PlanError
from tests.conftest import run_module
from tests.jobs.conftest import Head


def pictures(bundle: Bundle, folder: Path, count: int = 3) -> list[np.ndarray]:
    """Some of the bundle's own pictures as files, and one that is none."""
    folder.mkdir()
    found = [decode_picture(bundle.atlas.pictures[number]) for number in sorted(bundle.atlas.pictures)[:count]]
    for number, picture in enumerate(found):
        (folder / f"p{number}.png").write_bytes(encode_png(picture))
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nrest")
    return found


def test_pictures_are_prepared_as_the_run_s_own_were(
    hand_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = Bundle.load(hand_folder)
    own = pictures(bundle, tmp_path / "source")
    clear = Image.new("RGBA", (bundle.image_size, bundle.image_size // 2))
    clear.save(tmp_path / "source" / "icon.png")
    data = DataConfig(source=str(tmp_path / "source"), count=None, ground="navy")
    (tmp_path / "read").mkdir()
    assert write_parts(prepared(data, bundle.image_size), tmp_path / "read") == 4
    assert "broken.png is left out" in capsys.readouterr().out
    rows = {row["name"]: row["image"]["bytes"] for row in pq.read_table(tmp_path / "read").to_pylist()}
    shown = {Path(name).name: decode_picture(content) for name, content in rows.items()}
    assert (shown["icon.png"] == (0, 0, 128)).all()
    for number, picture in enumerate(own):
        factor = bundle.image_size // len(picture)
        np.testing.assert_array_equal(shown[f"p{number}.png"], picture.repeat(factor, 0).repeat(factor, 1))


def test_its_own_words_are_told_from_settings() -> None:
    words = ["run=r", "source=a=b", "to=out", "prompt=make it: a=b", "data.image_column=png"]
    assert Wanted.read(words) == (Wanted("out", prompt="make it: a=b"), ["run=r", "data.source=a=b", words[-1]])
    for missing in (["to=out"], ["prompt=x"], ["to=out", "prompt=x", "plan=y"]):
        with pytest.raises(StageError, match=r"is missing|is needed"):
            Wanted.read(missing)


def test_plans_are_read_or_refused_by_name(hand_folder: Path, tmp_path: Path) -> None:
    bundle = Bundle.load(hand_folder)
    plan = bundle.plan("make it a shark")
    file = tmp_path / "plan.json"
    for document in (json.loads(plan.model_dump_json(by_alias=True)), {"plan": json.loads(plan.model_dump_json())}):
        file.write_text(json.dumps(document))
        assert read_plan(str(file), bundle.dictionary).operations == plan.operations
    with pytest.raises(OtherDictionary):
        read_plan(str(file), "0" * 16)
    swap = EditPlan.model_validate({"operations": [{"op": "swap", "feature": 1, "from": "other"}]})
    file.write_text(swap.model_dump_json(by_alias=True))
    with pytest.raises(PlanError, match="copies from a picture"):
        read_plan(str(file), bundle.dictionary)
    file.write_text('{"operations": [{"op": "melt", "feature": 1}]}')
    with pytest.raises(StageError, match=r"operations\.0\.op"):
        read_plan(str(file), bundle.dictionary)
    with pytest.raises(StageError, match="there is no file"):
        read_plan(str(tmp_path / "none.json"), bundle.dictionary)


def test_a_prompt_that_asks_for_nothing_known_is_refused(hand_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = Bundle.load(hand_folder)
    assert understood(bundle, "make it a shark")
    with pytest.raises(StageError, match="asks for nothing that this run knows"):
        understood(bundle, "make it a zzyzx")
    assert "zzyzx" not in capsys.readouterr().out
    assert len(understood(bundle, "make it a shark and make it a zzyzx")) == 2
    assert "zzyzx" in capsys.readouterr().out


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5])
def test_no_part_is_written_over_another(count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.edit.PART_ROWS", 2)
    image = {"bytes": b"", "path": None}
    names = [f"{number}.png" for number in range(count)]
    assert write_parts(iter([{"name": name, "image": image} for name in names]), tmp_path) == count
    read = [row["name"] for part in sorted(tmp_path.iterdir()) for row in pq.read_table(part).to_pylist()]
    assert read == names


def test_files_of_one_name_are_all_kept(tmp_path: Path) -> None:
    content = {"bytes": encode_png(np.zeros((2, 2, 3), np.uint8)), "path": None}
    for folder in ("table", "read"):
        (tmp_path / folder).mkdir()
    names = ["a/x.png", "b/x.jpg", "c/x.gif", "part.parquet row 3", "part.parquet row 4"]
    write_parts(iter([{"name": name, "image": content} for name in names]), tmp_path / "read")
    table = pq.read_table(tmp_path / "read")
    pq.write_table(table.append_column("plan", [["{}"] * len(names)]), tmp_path / "table/0.parquet")
    write_files(str(tmp_path / "table"), tmp_path / "pictures")
    listed = [json.loads(line) for line in (tmp_path / "pictures/metadata.jsonl").read_text().splitlines()]
    files = ["x.png", "x-2.png", "x-3.png", "part.parquet row 3.png", "part.parquet row 4.png"]
    assert [(row["file_name"], row["of"]) for row in listed] == list(zip(files, names, strict=True))
    assert {path.name for path in (tmp_path / "pictures").iterdir()} == {*files, "metadata.jsonl"}


@pytest.mark.integration
def test_a_folder_is_edited_by_a_prompt_and_by_its_plan(head: Head, hand_folder: Path, tmp_path: Path) -> None:
    bundle = Bundle.load(hand_folder)
    run = tmp_path / "run"
    shutil.copytree(hand_folder, run)
    own = pictures(bundle, tmp_path / "source")
    images = np.stack(
        [np.asarray(Image.open(io.BytesIO(encode_png(p))).resize((bundle.image_size,) * 2, 0)) for p in own]
    )
    words = [f"run={run}", f"source={tmp_path / 'source'}"]
    made = run_module("jobs.edit", *words, f"to={tmp_path / 'by-prompt'}", "prompt=make it a shark", **head.variables)
    assert made.returncode == 0, made.stdout[-3000:]
    assert "broken.png is left out" in made.stdout
    listed = [json.loads(x) for x in (tmp_path / "by-prompt/pictures/metadata.jsonl").read_text().splitlines()]
    assert len(listed) == len(own)
    for row in listed:
        number = int(Path(row["of"]).stem.removeprefix("p"))
        plan = bundle.plan("make it a shark", images[number])
        assert EditPlan.model_validate_json(row["plan"]) == plan
        edited = decode_picture((tmp_path / "by-prompt/pictures" / row["file_name"]).read_bytes())
        np.testing.assert_array_equal(edited, bundle.edit(images[number : number + 1], plan)[0])
    (tmp_path / "plan.json").write_text(listed[0]["plan"])
    again = [f"to={tmp_path / 'by-plan'}", f"plan={tmp_path / 'plan.json'}"]
    made = run_module("jobs.edit", *words, *again, **head.variables)
    assert made.returncode == 0, made.stdout[-3000:]
    table = pq.read_table(tmp_path / "by-plan/table").to_pylist()
    assert {row["plan"] for row in table} == {listed[0]["plan"]}
    # Above all not the pictures themselves.
    over = run_module("jobs.edit", *words, f"to={tmp_path / 'source'}", "prompt=make it a shark", **head.variables)
    assert over.returncode == 1
    assert "is there already" in over.stdout
    assert (tmp_path / "source/p0.png").exists()
    wrong = run_module("jobs.edit", *words, "prompt=make it a shark", **head.variables)
    assert wrong.returncode == 1
    assert wrong.stdout == "error: to= is missing: where the edited pictures are to be written\n"
