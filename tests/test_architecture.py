"""The rules of the house that a machine can check; CONTRIBUTING says them in words."""

import ast
import re
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from swiggle.composition import SETS

ROOT = Path(__file__).parent.parent
LIBRARY = ROOT / "swiggle"

SAME_NAMES = {"__init__.py", "prometheus.py", "vocabulary.py"}
"""Names that several modules may have: what jobs and serve each tell Prometheus is in their `runtime`, and a command
may have the name of what it makes."""
COMPOSED = {module.rpartition(".")[0] for module in SETS.values()}
"""The packages of composed sets."""
SEES_TRUTH = {
    *("jobs/evaluate.py", "jobs/report_vae.py", "jobs/report_sae.py", "jobs/report_atlas.py"),
    *("jobs/runtime/held_out_scores.py", "swiggle/evaluation"),
    *(folder.replace(".", "/") for folder in COMPOSED),
}
DRAWS = {"swiggle/data/sources.py", "swiggle/composition.py", "jobs/prepare_data.py", "jobs/runtime/choosing.py"}
"""What composes the pictures of a composed set, and so knows of such sets, but reads no trait."""
SCENARIOS = {
    "atlas": {"pictures_of_features", "wide_dictionaries"},
    "captions": {"languages"},
    "data": {"imports"},
    "editing": {"shuffled_labels"},
    "evaluation": {"any_composition", "evaluation", "latent_measures"},
    "jobs": {
        *("granted_device", "jobs_environment", "pipeline", "small_sets", "submit", "vision_labels"),
    },
    "sae": {"saelens_files", "wide_training", "new_objective", "objectives"},
    "serve": {
        *("api", "faults", "fuzz", "handles", "images", "label_routes", "label_states", "openai_clients", "retrieval"),
        *("page", "page_key", "page_labels", "page_plain", "page_routes", "page_states", "page_wide"),
        *("server", "split", "wide"),
    },
    "training": {"training"},
}
"""Tests of several modules together, by room; every other test has the name of the module that it is about."""
OF_A_SET = re.compile(
    r"\b(nouns?|noggles|characters?|glasses|accessor(y|ies)|shirts?|dicebear|avatars?|beards?|earrings?)\b",
    re.IGNORECASE,
)
KNOWS_THEIR_NAME = {
    "swiggle/composition.py": "names the sets",
    "swiggle/config.py": "the default source and vocabulary",
    "swiggle/atlas/label_files.py": "characters of a text",
    "serve/routes/schemas.py": "examples of the API",
}


def modules(folder: str) -> list[Path]:
    found = [ROOT / folder] if folder.endswith(".py") else sorted((ROOT / folder).rglob("*.py"))
    assert found
    return found


def imports(path: Path) -> set[str]:
    """Every module that a file imports, dotted, wherever in the file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def offenders(folder: str, *forbidden: str, without: set[str] = frozenset()) -> list[str]:
    """Imports of what is forbidden in a folder, but for files and folders that may."""
    return [
        f"{name}: {imported}"
        for path in modules(folder)
        for imported in imports(path)
        if (name := str(path.relative_to(ROOT)))
        and not any(name == one or name.startswith(f"{one}/") for one in without)
        if any(imported == bad or imported.startswith(f"{bad}.") for bad in forbidden)
    ]


def rooms() -> dict[str, set[str]]:
    """The rooms of the library that each of them imports."""
    names = {path.name for path in LIBRARY.iterdir() if (path / "__init__.py").exists()}
    return {
        room: {
            other
            for path in modules(f"swiggle/{room}")
            for imported in imports(path)
            if imported.startswith("swiggle.") and (other := imported.split(".")[1]) in names - {room}
        }
        for room in names
    }


def test_library_knows_neither_ray_nor_its_users() -> None:
    assert offenders("swiggle", "ray", "jobs", "serve") == []


def test_jobs_and_serve_do_not_know_each_other() -> None:
    assert offenders("jobs", "serve") == []
    assert offenders("serve", "jobs") == []


def test_what_the_stages_share_knows_no_stage() -> None:
    stages = [f"jobs.{path.stem}" for path in (ROOT / "jobs").glob("*.py") if path.stem != "__init__"]
    assert offenders("jobs/runtime", *stages) == []


def test_nothing_that_trains_labels_retrieves_or_edits_can_see_the_truth() -> None:
    truth = ("swiggle.evaluation", "swiggle.data.reading.read_traits", *COMPOSED)
    for folder in ("swiggle", "jobs", "serve"):
        assert offenders(folder, *truth, without=SEES_TRUTH) == []
        assert offenders(folder, "swiggle.composition", without=SEES_TRUTH | DRAWS) == []


def test_arrows_between_rooms_are_those_of_the_docs_and_lead_nowhere_back() -> None:
    listed = re.findall(r"^\| `(\w+)/` \|[^|]*\|([^|]*)\|$", (ROOT / "docs/architecture.md").read_text(), re.MULTILINE)
    documented = {room: set(re.findall(r"`(\w+)`", arrows)) for room, arrows in listed if room in rooms()}
    assert documented == rooms()
    assert len(list(TopologicalSorter(rooms()).static_order())) == len(rooms())


def test_no_two_modules_have_one_name() -> None:
    counts = Counter(path.name for folder in ("swiggle", "jobs", "serve") for path in modules(folder))
    assert {name for name, count in counts.items() if count > 1 and name != "composition.py"} <= SAME_NAMES
    assert not any(
        path.stem in ("utils", "helpers", "misc") for folder in ("swiggle", "jobs", "serve") for path in modules(folder)
    )


@pytest.mark.parametrize("room", ["swiggle", "jobs", "serve"])
def test_tests_mirror_the_package(room: str) -> None:
    base = ROOT / "tests" if room == "swiggle" else ROOT / "tests" / room
    known = {path.stem for path in modules(room)}
    strange = [
        str(path.relative_to(ROOT))
        for path in sorted(base.rglob("test_*.py"))
        if (place := path.relative_to(ROOT / "tests").parts[0]) in SCENARIOS or place == room
        if (room != "swiggle" or (LIBRARY / place).is_dir())
        if path.stem.removeprefix("test_") not in known | SCENARIOS.get(place, set())
    ]
    assert strange == []


def test_nothing_outside_its_room_knows_a_composed_set() -> None:
    """In what code says or compares; docstrings may give them as an example."""
    found = []
    for folder in ("swiggle", "jobs", "serve"):
        for path in modules(folder):
            name = str(path.relative_to(ROOT))
            if any(name.startswith(f"{room.replace('.', '/')}/") for room in COMPOSED) or name in KNOWS_THEIR_NAME:
                continue
            tree = ast.parse(path.read_text())
            docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            found += [
                f"{name}:{node.lineno}: {node.value[:60]}"
                for node in ast.walk(tree)
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
                if OF_A_SET.search(node.value)
            ]
    assert found == []


def test_the_library_loads_no_pickle() -> None:
    assert offenders("swiggle", "pickle", "joblib", "dill") == []


def test_no_file_needs_scrolling() -> None:
    assert [p for f in ("swiggle", "jobs", "serve") for p in modules(f) if p.read_text().count("\n") > 350] == []
