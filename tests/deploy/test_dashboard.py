"""The Grafana dashboard against Grafana's own types. Its queries are run in `tests/cluster/test_serving.py`."""

import json
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.conftest import ROOT


def as_grafana_reads_it(document: dict[str, Any]) -> dict[str, Any]:
    """Into Grafana's types and out again: what they do not know is lost."""
    register_default_plugins()
    return json.loads(JSONEncoder().encode(Dashboard.from_json(document)))


def lost(given: Any, kept: Any, where: str = "") -> list[str]:
    """What of `given` is not in `kept`, or is different there."""
    if isinstance(given, dict) and isinstance(kept, dict):
        return [p for key, value in given.items() for p in lost(value, kept.get(key), f"{where}/{key}")]
    if isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        return [p for i, pair in enumerate(zip(given, kept, strict=True)) for p in lost(*pair, f"{where}/{i}")]
    return [] if given == kept else [where]


@pytest.fixture
def dashboard() -> dict[str, Any]:
    return json.loads((ROOT / "deploy/grafana/swiggle.json").read_text())


def test_grafana_knows_every_field(dashboard: dict[str, Any]) -> None:
    assert lost(dashboard, as_grafana_reads_it(dashboard)) == []


def test_a_field_that_grafana_does_not_know_is_found(dashboard: dict[str, Any]) -> None:
    dashboard["panels"][1]["gridPoz"] = dashboard["panels"][1].pop("gridPos")
    assert lost(dashboard, as_grafana_reads_it(dashboard)) == ["/panels/1/gridPoz"]


def test_panels_do_not_overlap(dashboard: dict[str, Any]) -> None:
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in dashboard["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
