import contextlib
from pathlib import Path

import pytest

from swiggle.storage import absolute, join, local_copy, local_path, publish, read_json, remove, write_json


def test_json_round_trip_and_absence(tmp_path: Path) -> None:
    uri = f"{tmp_path}/deep/er/file.json"
    assert read_json(uri) is None
    write_json(uri, {"a": [1, 2.5]})
    assert read_json(uri) == {"a": [1, 2.5]}
    assert read_json(f"file://{uri}") == {"a": [1, 2.5]}
    assert [p.name for p in (tmp_path / "deep/er").iterdir()] == ["file.json"]


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(ValueError, match=r"bad\.json"):
        read_json(str(tmp_path / "bad.json"))


def test_publish_replaces_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with publish(str(target)) as folder:
        (folder / "one").write_text("1")
    with contextlib.suppress(RuntimeError), publish(str(target)) as folder:
        (folder / "two").write_text("2")
        raise RuntimeError
    assert [p.name for p in target.iterdir()] == ["one"]
    with publish(str(target)) as folder:
        (folder / "three").write_text("3")
    assert [p.name for p in target.iterdir()] == ["three"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute("runs") == f"{tmp_path}/runs"
    assert absolute("s3://bucket/x") == "s3://bucket/x"
    assert join("s3://bucket/x/", "y") == "s3://bucket/x/y"
    with pytest.raises(ValueError, match="s3://bucket"):
        local_path("s3://bucket")
    with local_copy("runs") as folder:
        assert folder == tmp_path / "runs"
    remove("runs")


def test_a_query_stays_at_the_end() -> None:
    assert join("s3://b/run/?scheme=http", "a", "b.json") == "s3://b/run/a/b.json?scheme=http"
    assert join("s3://b/run", "a") == "s3://b/run/a"


def test_what_a_kill_left_is_gone_when_the_folder_is_published_again(tmp_path: Path) -> None:
    (tmp_path / ".vae-half").mkdir()
    (tmp_path / ".vae_report-half").mkdir()  # of another folder
    with publish(str(tmp_path / "vae")) as folder:
        (folder / "a").write_text("a")
    assert {p.name for p in tmp_path.iterdir()} == {"vae", ".vae_report-half"}
