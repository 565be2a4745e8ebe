import shutil
from pathlib import Path

import numpy as np
import pytest

import swiggle
from swiggle.data.reading import read_pictures

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


issue_20 = pytest.mark.xfail(strict=True, reason="issue 20: what belongs to another dictionary is refused")


@issue_20
def test_plans_name_the_dictionary_and_those_of_another_are_refused(
    bundle: swiggle.Bundle, images: np.ndarray
) -> None:
    from swiggle.editing.plan import OtherDictionary

    assert bundle.dictionary == bundle.manifest["files"]["sae/model.safetensors"][:16]
    for plan in (bundle.plan("make it a shark"), bundle.plan("make it a shark", images[0])):
        assert plan.dictionary == bundle.dictionary
        nameless = plan.model_copy(update={"dictionary": None})
        np.testing.assert_array_equal(bundle.edit(images[:2], plan), bundle.edit(images[:2], nameless))
        with pytest.raises(OtherDictionary):
            bundle.edit(images[:2], plan.model_copy(update={"dictionary": "0" * 16}))


@issue_20
def test_hand_labels_of_another_dictionary_are_told_of_at_load(
    smoke_run: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from swiggle.atlas.hand_labels import HandLabelFile

    copy = tmp_path / "copy"
    shutil.copytree(smoke_run, copy, ignore=shutil.ignore_patterns("data", "train_vae", "sweep*", "latents"))
    HandLabelFile(copy, "0" * 16).change({5: "a label of before"})
    loaded = swiggle.Bundle.load(copy)
    assert [m for m in caplog.messages if "python -m jobs.labels move" in m]
    assert loaded.open_index().search("a label of before", limit=1)[0].score < 0.9


@issue_20
def test_a_fault_in_loading_is_not_called_a_damaged_bundle(smoke_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(folder: Path) -> None:
        raise ValueError("a fault of ours")

    monkeypatch.setattr("swiggle.bundle.Atlas.load", broken)
    with pytest.raises(ValueError, match="a fault of ours") as raised:
        swiggle.Bundle.load(smoke_run)
    assert not isinstance(raised.value, swiggle.BundleError)
