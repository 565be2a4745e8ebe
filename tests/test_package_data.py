"""What is no Python is in the wheel too."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_wheel_holds_the_page_and_what_composed_sets_are_drawn_from() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    packed = {
        path
        for package, globs in listed.items()
        for glob in globs
        for path in (ROOT / package.replace(".", "/")).glob(glob)
    }
    files = {
        path
        for folder in ("swiggle", "jobs", "serve")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts
    }
    assert {str(path.relative_to(ROOT)) for path in files - packed} == set()
