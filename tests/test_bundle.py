import json
import shutil
import warnings
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

import swiggle
from swiggle.config import VAEConfig
from swiggle.manifest import make_manifest
from tests import hand_bundle
from tests.hand_bundle import FEATURES, LAMP, PIZZA, ROBOT, SAMPLE_IDS, SHARK, UNIT, picture_of, strengths


@pytest.fixture(scope="module")
def bundle(hand_folder: Path) -> swiggle.Bundle:
    return swiggle.Bundle.load(hand_folder)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """The pictures to start from."""
    return np.stack([picture_of(strengths()[number]) for number in SAMPLE_IDS])


def painted(image: int, **changed: float) -> np.ndarray:
    """A picture to start from with other strengths of some features: what an edit is to look like."""
    given = strengths()[SAMPLE_IDS[image]].copy()
    for name, strength in changed.items():
        given[getattr(hand_bundle, name)] = strength
    return picture_of(given)


def close(one: np.ndarray, other: np.ndarray) -> bool:
    """Equal up to rounding, and to how much stronger or weaker than the average a thing is in a picture."""
    return np.abs(one.astype(int) - other.astype(int)).max() <= 12


def test_the_documented_shapes(bundle: swiggle.Bundle, images: np.ndarray) -> None:
    z = bundle.encode(images)
    f = bundle.activations(z)
    assert (z.shape, z.dtype) == ((12, 4, 8, 8), np.float32)
    assert (f.shape, f.dtype) == ((12, FEATURES), np.float32)
    assert (bundle.decode(z).shape, bundle.decode(z).dtype) == ((12, 32, 32, 3), np.uint8)
    assert bundle.reconstruct(z).shape == z.shape
    assert bundle.image_size == 32
    with pytest.raises(ValueError, match="uint8"):
        bundle.encode(images.astype(float))


def test_what_is_in_a_picture_is_read_and_drawn_again(bundle: swiggle.Bundle, images: np.ndarray) -> None:
    z = bundle.encode(images)
    np.testing.assert_allclose(bundle.activations(z), UNIT * strengths()[SAMPLE_IDS], atol=0.06)
    assert close(bundle.decode(z), images)
    assert close(bundle.decode(bundle.reconstruct(z)), images)


@pytest.mark.parametrize(
    ("prompt", "sample", "changed"),
    [
        ("make it a shark", 0, {"SHARK": 1.0, "ROBOT": 0.0}),
        ("make it red", 0, {"RED": 1.0, "BLUE": 0.0}),
        ("give it a pizza head and round yellow glasses", 1, {"PIZZA": 1, "LAMP": 0, "YELLOW": 1, "BLACK": 0}),
        ("remove the print", 3, {"PLAIN": 1.0, "STRIPES": 0.0}),
        ("make it a flibbertigibbet quux", 0, {}),
        ("give it square black glasses", 0, {}),
    ],
)
def test_prompts_do_what_they_say(
    bundle: swiggle.Bundle, images: np.ndarray, prompt: str, sample: int, changed: dict[str, float]
) -> None:
    plan = bundle.plan(prompt, images[sample])
    assert close(bundle.edit(images[sample][None], plan)[0], painted(sample, **changed))
    again = swiggle.EditPlan.model_validate_json(plan.model_dump_json(by_alias=True))
    np.testing.assert_array_equal(bundle.edit(images, plan), bundle.edit(images, again))


def test_without_a_picture_what_usually_stands_in_the_way_is_taken_out(bundle: swiggle.Bundle) -> None:
    done = {o.feature: o.op for o in bundle.plan("make it a shark").operations}
    assert done[SHARK] == "set"
    assert [done[head] for head in (PIZZA, ROBOT, LAMP)] == ["ablate"] * 3


def test_an_empty_plan_and_unknown_words_change_nothing(bundle: swiggle.Bundle, images: np.ndarray) -> None:
    untouched = bundle.decode(bundle.encode(images))
    np.testing.assert_array_equal(bundle.edit(images, swiggle.EditPlan()), untouched)
    explained = bundle.explain("make it a flibbertigibbet quux", images[0])
    assert explained.plan.operations == []
    assert len(explained.reasons[0].nearest) > 0


def test_a_damaged_bundle_is_refused_with_the_file_named(hand_copy: Path) -> None:
    copy = hand_copy
    assert swiggle.Bundle.load(copy).image_size == 32
    weights = copy / "vae/model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(swiggle.BundleError, match=r"vae/model\.safetensors"):
        swiggle.Bundle.load(copy)


def reconfigured(run: Path, to: Path, **keys: object) -> Path:
    """A copy of a bundle whose VAE was saved with its training configuration, as every older one was, and more."""
    for part in ("vae", "sae", "atlas", "index"):
        shutil.copytree(run / part, to / part)
    path = to / "vae/config.json"
    path.write_text(json.dumps(asdict(VAEConfig()) | json.loads(path.read_text()) | keys))
    (to / "bundle.json").write_text(json.dumps(make_manifest(to, {}, {})))
    return to


def test_a_bundle_with_whole_configurations_loads(
    bundle: swiggle.Bundle, hand_folder: Path, images: np.ndarray, tmp_path: Path
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        loaded = swiggle.Bundle.load(reconfigured(hand_folder, tmp_path))
    np.testing.assert_array_equal(loaded.encode(images), bundle.encode(images))


def test_a_bundle_with_keys_of_another_release_warns_and_loads(
    bundle: swiggle.Bundle, hand_folder: Path, images: np.ndarray, tmp_path: Path
) -> None:
    with pytest.warns(UserWarning, match=r"vae/config\.json: spot_price"):
        loaded = swiggle.Bundle.load(reconfigured(hand_folder, tmp_path, spot_price=1))
    np.testing.assert_array_equal(loaded.encode(images), bundle.encode(images))
