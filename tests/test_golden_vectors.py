"""The vectors that the page's scripts are tested with are those that Python makes today."""

import base64
import json
from typing import Any

import numpy as np
import pytest

from scripts.golden_vectors import FILE, golden, written

WRITE = "run python -m scripts.golden_vectors"


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return json.loads(written(golden()))


@pytest.fixture(scope="module")
def kept() -> dict[str, Any]:
    return json.loads(FILE.read_text())


def test_the_same_parts(made: dict[str, Any], kept: dict[str, Any]) -> None:
    assert list(made) == list(kept), WRITE


@pytest.mark.parametrize("part", ["strengths", "plans", "max_operations", "decoder", "dictionary", "latent"])
def test_what_no_sum_is_part_of(part: str, made: dict[str, Any], kept: dict[str, Any]) -> None:
    assert made[part] == kept[part], WRITE


@pytest.mark.parametrize("part", ["units", "active", "decoded"])
def test_sums(part: str, made: dict[str, Any], kept: dict[str, Any]) -> None:
    np.testing.assert_allclose(made[part], kept[part], atol=2e-5, err_msg=WRITE)


def test_a_refined_decoder(made: dict[str, Any], kept: dict[str, Any]) -> None:
    new, old = made["refined"], kept["refined"]
    assert {**new, "decoded": None} == {**old, "decoded": None}, WRITE
    np.testing.assert_allclose(new["decoded"], old["decoded"], atol=2e-5, err_msg=WRITE)


def test_pictures(made: dict[str, Any], kept: dict[str, Any]) -> None:
    """A value may round the other way, as sums in another order do from CPU to CPU."""
    for new, old in zip(made["steered"], kept["steered"], strict=True):
        assert {**new, "picture": None} == {**old, "picture": None}, WRITE
        pixels = [np.frombuffer(base64.b64decode(one["picture"]), np.uint8).astype(int) for one in (new, old)]
        np.testing.assert_allclose(*pixels, atol=1, err_msg=f"{new['name']}: {WRITE}")
