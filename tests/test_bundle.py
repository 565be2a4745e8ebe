import json
import shutil
import warnings
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

import swiggle
from swiggle.config import VAEConfig
from swiggle.data.reading import read_pictures
from swiggle.manifest import make_manifest

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def bundle(smoke_run: Path) -> swiggle.Bundle:
    return swiggle.Bundle.load(smoke_run)


@pytest.fixture(scope="module")
def images(smoke_run: Path) -> np.ndarray:
    return read_pictures(smoke_run / "data/test", 32, 16).images


def test_the_documented_shapes(bundle: swiggle.Bundle, images: np.ndarray) -> None:
    z = bundle.encode(images)
    f = bundle.activations(z)
    assert (z.shape, z.dtype) == ((16, 4, 8, 8), np.float32)
    assert (f.shape, f.dtype) == ((16, 1024), np.float32)
    assert (bundle.decode(z).shape, bundle.decode(z).dtype) == ((16, 32, 32, 3), np.uint8)
    assert bundle.reconstruct(z).shape == z.shape
    assert bundle.image_size == 32
    assert f.min() >= 0
    with pytest.raises(ValueError, match="uint8"):
        bundle.encode(images.astype(float))


def test_plans_in_python(bundle: swiggle.Bundle, images: np.ndarray) -> None:
    plan = bundle.plan("give it a pizza head, and less red on the shirt")
    assert 0 < len(plan.operations) <= 256
    again = swiggle.EditPlan.model_validate_json(plan.model_dump_json(by_alias=True))
    np.testing.assert_array_equal(bundle.edit(images, plan), bundle.edit(images, again))
    assert (bundle.edit(images, plan) != bundle.decode(bundle.encode(images))).any()
    fitted = bundle.plan("make it a shark", images[0])
    raised = bundle.activations(bundle.encode(images[:1]))[0]
    up = [
        o for o in fitted.operations if o.strength * bundle.atlas.mean_activation[o.feature] > raised[o.feature] + 1e-3
    ]
    assert 0 < len(up) <= 32


def test_an_empty_plan_and_unknown_words_change_nothing(bundle: swiggle.Bundle, images: np.ndarray) -> None:
    untouched = bundle.decode(bundle.encode(images))
    np.testing.assert_array_equal(bundle.edit(images, swiggle.EditPlan()), untouched)
    explained = bundle.explain("make it a flibbertigibbet quux", images[0])
    assert explained.plan.operations == []
    assert len(explained.reasons[0].nearest) > 0


def test_decoder_rows_are_unit_and_labels_are_there(bundle: swiggle.Bundle) -> None:
    np.testing.assert_allclose(bundle.sae.W_dec.detach().norm(dim=1), 1.0, rtol=1e-5)
    assert 0.4 < np.mean([label != "unexplained" for label in bundle.atlas.labels]) <= 1.0


def test_a_damaged_bundle_is_refused_with_the_file_named(smoke_run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(smoke_run, copy, ignore=shutil.ignore_patterns("data", "train_vae", "sweep", "latents"))
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
    bundle: swiggle.Bundle, smoke_run: Path, images: np.ndarray, tmp_path: Path
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        loaded = swiggle.Bundle.load(reconfigured(smoke_run, tmp_path))
    np.testing.assert_array_equal(loaded.encode(images), bundle.encode(images))


def test_a_bundle_with_keys_of_another_release_warns_and_loads(
    bundle: swiggle.Bundle, smoke_run: Path, images: np.ndarray, tmp_path: Path
) -> None:
    with pytest.warns(UserWarning, match=r"vae/config\.json: spot_price"):
        loaded = swiggle.Bundle.load(reconfigured(smoke_run, tmp_path, spot_price=1))
    np.testing.assert_array_equal(loaded.encode(images), bundle.encode(images))
