"""The rules of the house that a machine can check."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent


def imported(folder: str) -> dict[Path, set[str]]:
    """Every module that each file of a folder imports, dotted, wherever in the file."""
    found: dict[Path, set[str]] = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        names: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        found[path] = names
    assert found
    return found


def offenders(folder: str, *forbidden: str) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}: {name}"
        for path, names in imported(folder).items()
        for name in names
        if any(name == bad or name.startswith(f"{bad}.") for bad in forbidden)
    ]


def test_library_knows_neither_ray_nor_its_users() -> None:
    assert offenders("swiggle", "ray", "jobs", "serve") == []


def test_jobs_and_serve_do_not_know_each_other() -> None:
    assert offenders("jobs", "serve") == []
    assert offenders("serve", "jobs") == []


def test_nothing_that_edits_or_labels_can_see_the_truth() -> None:
    truth = ("swiggle.evaluation", "swiggle.nouns", "swiggle.data.reading.read_traits")
    for folder in ("serve", "swiggle/editing", "swiggle/atlas"):
        assert offenders(folder, *truth) == []


def test_the_library_loads_no_pickle() -> None:
    assert offenders("swiggle", "pickle", "joblib", "dill") == []


def test_no_file_needs_scrolling() -> None:
    long = [
        p for f in ("swiggle", "jobs", "serve") for p in (ROOT / f).rglob("*.py") if p.read_text().count("\n") > 350
    ]
    assert long == []
