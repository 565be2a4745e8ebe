import json
from pathlib import Path

import pytest

from swiggle.errors import ConfigError
from swiggle.manifest import NAME, BundleError, ground_of, make_manifest, read_manifest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("vae/model", "sae/model", "atlas/features", "index/labels.parquet", "index/chroma/db", "data/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / NAME).write_text(json.dumps(make_manifest(tmp_path, {"a": 1}, {})))
    return tmp_path


def test_what_is_sealed_and_what_is_not(folder: Path) -> None:
    assert set(read_manifest(folder)["files"]) == {"vae/model", "sae/model", "atlas/features", "index/labels.parquet"}
    (folder / "index/chroma/db").write_text("changed")
    read_manifest(folder)


def test_a_changed_or_missing_file_is_named(folder: Path) -> None:
    (folder / "sae/model").write_text("changed")
    with pytest.raises(BundleError, match="sae/model"):
        read_manifest(folder)
    (folder / "sae/model").unlink()
    with pytest.raises(BundleError, match="sae/model"):
        read_manifest(folder)


def test_foreign_manifests(folder: Path) -> None:
    (folder / NAME).write_text('{"version": 99}')
    with pytest.raises(BundleError, match="99"):
        read_manifest(folder)
    (folder / NAME).write_text("{")
    with pytest.raises(BundleError, match=NAME):
        read_manifest(folder)


def test_another_version_says_what_to_do(folder: Path) -> None:
    manifest = json.loads((folder / NAME).read_text())
    (folder / NAME).write_text(json.dumps(manifest | {"version": 3}))
    with pytest.raises(BundleError, match=r"version 3.*python -m jobs\.seal_bundle"):
        read_manifest(folder)
    (folder / NAME).write_text(json.dumps(manifest | {"version": 5}))
    with pytest.raises(BundleError, match=r"version 5.*newer release"):
        read_manifest(folder)
    for damaged in ("[]", json.dumps({"version": 4}), json.dumps({"version": 4, "files": []})):
        (folder / NAME).write_text(damaged)
        with pytest.raises(BundleError, match=NAME):
            read_manifest(folder)


def test_the_ground_of_a_bundle() -> None:
    assert ground_of({"config": {"prepare_data": {"data": {"ground": "navy"}}}}) == "navy"
    assert ground_of({"config": {"prepare_data": {"data": {}}}}) == "white"  # made before there was the setting
    with pytest.raises(ConfigError, match="should be the name of a colour"):
        ground_of({"config": {"prepare_data": {"data": {"ground": "grass"}}}})
