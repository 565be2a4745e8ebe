"""The exported folder in a real browser behind a plain file server: what it draws is what Python draws."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from serve.export import export, main
from swiggle.bundle import Bundle
from swiggle.config import VAEConfig
from swiggle.data.pixels import decode_picture
from swiggle.editing.plan import EditPlan
from swiggle.models.vae import VAE
from tests.serve.conftest import elsewhere, files_of
from tests.serve.page_actions import before, eventually, find, shared, shown, visit

pytestmark = pytest.mark.integration
Open = Callable[..., Page]
TOP_ROW = [[1.0] * 8, *[[0.0] * 8] * 7]
HALF = [[0.5] * 8] * 8

DRAW = """async (operations) => {
    const { StaticApi } = await import('/static/api/static-api.js');
    const api = await StaticApi.load('data/');
    const picture = await api.open({ sample: 2 });
    const canvas = await api.steer(picture, { version: 1, operations });
    return [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data];
}"""


@contextmanager
def exported(bundle: Bundle, folder: Path) -> Iterator[str]:
    """The address of a bundle's exported folder."""
    elsewhere(lambda: export(bundle, folder))
    with files_of(folder) as url:
        yield url


@pytest.fixture(scope="module")
def bundle(hand_folder: Path) -> Bundle:
    return Bundle.load(hand_folder)


@pytest.fixture(scope="module")
def site(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with exported(bundle, tmp_path_factory.mktemp("export") / "site") as url:
        yield url


def test_the_browsers_decoder_agrees_with_python(smoke_run: Path, tmp_path: Path, open_page: Open) -> None:
    """On weights that were trained, whatever they became."""
    bundle = Bundle.load(smoke_run)
    with exported(bundle, tmp_path / "site") as site:
        page = open_page()
        visit(page, site)
        drawn_as_in_python(page, bundle)
        page.get_by_role("button", name="About").click()
        facts = page.get_by_role("dialog", name="About this model")
        measured = bundle.manifest["metrics"]["sweep_sae"]
        for fact in (
            f"{measured['l0']:.1f}",
            f"{measured['fvu']:.3f}",
            f"{(~bundle.atlas.table['dead'].to_numpy()).sum():,}",
        ):
            expect(facts).to_contain_text(fact)
        expect(facts.get_by_role("img", name="how dense")).to_be_visible()


def drawn_as_in_python(page: Page, bundle: Bundle) -> None:
    image = decode_picture(bundle.atlas.pictures[bundle.atlas.samples[2]])[None]
    active = bundle.activations(bundle.encode(image))[0]
    first, second, *_ = (int(i) for i in np.argsort(-active))
    other = int(np.flatnonzero((active == 0) & (bundle.atlas.mean_activation > 0))[0])
    plans: list[list[dict]] = [
        [],
        [
            {"op": "set", "feature": other, "strength": 1.5, "mask": None},
            {"op": "ablate", "feature": first, "mask": None},
        ],
        [{"op": "scale", "feature": first, "strength": 0.3}, {"op": "add", "feature": second, "strength": -9.0}],
        [
            {"op": "add", "feature": other, "strength": 1.0, "mask": TOP_ROW},
            {"op": "set", "feature": first, "strength": 0.2},
            {"op": "ablate", "feature": second, "mask": HALF},
        ],
    ]
    for operations in plans:
        drawn = np.array(page.evaluate(DRAW, operations)).reshape(bundle.image_size, bundle.image_size, 4)[..., :3]
        truth = bundle.edit(image, EditPlan.model_validate({"operations": operations}))[0].astype(int)
        error = np.abs(drawn - truth)
        # Weights of eight bits: less than two levels of 255 on average, and no pixel that an eye would tell.
        assert error.mean() < 2
        assert error.max() < 24


def test_map_card_slider_and_link_without_a_server(site: str, open_page: Open) -> None:
    page = open_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.startswith("http") else None)
    visit(page, site)
    expect(page.get_by_label("What should change?")).to_be_hidden()
    find(page, "pizza")
    page.locator("#list .item").first.click()
    expect(page.locator("#panel-title")).to_contain_text("pizza")
    for what in (
        "The pictures in which this feature is strongest",
        "The same pictures without this feature",
        "One fixed picture with the feature at strengths from minus 2 to plus 2",
    ):
        picture = page.get_by_alt_text(what)
        expect(picture).to_be_visible()
        assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") >= 32
    page.get_by_role("button", name="Use in editor").click()
    eventually(lambda: not np.array_equal(shown(page), before(page)))
    page.wait_for_load_state("networkidle")  # the sheets of the card come while the first slider moves already
    loaded = len(asked)
    slider = page.locator(".slider input[type=range]").first
    seen = shown(page)
    slider.press("End")
    eventually(lambda: not np.array_equal(shown(page), seen))
    # The browser may fetch a sheet of small pictures again, or its tab's icon; nothing else goes over the network.
    assert [url for url in asked[loaded:] if not url.endswith((".png", ".webp", "/icon.svg"))] == []
    page.get_by_label("Label", exact=True).fill("round and tasty")
    page.get_by_role("button", name="Save").click()
    find(page, "tasty")
    expect(page.locator("#list .item")).to_have_count(1)
    page.reload()
    expect(page.locator(".slider .label").first).to_have_text("round and tasty")
    assert len(shared(page)["plan"]["operations"]) == 1
    assert not [url for url in asked if "/v1/" in url or not url.startswith(site)]


def test_pointing_at_a_slider_encodes_nothing_but_where_it_acts(site: str, open_page: Open) -> None:
    page = open_page()
    visit(page, site)
    page.wait_for_load_state("networkidle")
    page.evaluate(
        """() => {
            const { toDataURL } = HTMLCanvasElement.prototype;
            globalThis.encoded = 0;
            HTMLCanvasElement.prototype.toDataURL = function () {
                globalThis.encoded += 1;
                return toDataURL.call(this);
            };
        }"""
    )
    page.locator(".slider .open").first.hover()
    expect(page.locator("#where")).to_be_visible()
    assert page.evaluate("globalThis.encoded") == 1


def test_a_convolutional_model_is_exported_without_sliders(bundle: Bundle, tmp_path: Path, open_page: Open) -> None:
    conv = VAE(VAEConfig(image_size=32, channels=[8, 8], latent_channels=4)).eval()
    with exported(dataclasses.replace(bundle, vae=conv), tmp_path / "site") as site:
        assert not (tmp_path / "site/data/decoder.bin").exists()
        page = open_page()
        page.goto(f"{site}/#edit=AAAA")  # links hold edits, and there are none here
        expect(page.get_by_text("convolutional decoder")).to_be_visible()
        find(page, "pizza")
        page.locator("#list .item").first.click()
        expect(page.locator("#panel-title")).to_contain_text("pizza")
        expect(page.get_by_alt_text("The pictures in which this feature is strongest")).to_be_visible()
        page.get_by_label("Label", exact=True).fill("round and tasty")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#list .item").first).to_contain_text("round and tasty")
        for text in ("Use in editor", "Share", "Undo", "Add to the sliders", "Reset all"):
            expect(page.get_by_role("button", name=text)).to_have_count(0)
        expect(page.locator(".slider")).to_have_count(0)
        expect(page.locator("#toast")).not_to_contain_text("damaged")


def test_what_cannot_be_exported_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("")
    for out, said in ((tmp_path / "full", "not empty"), (tmp_path / "site", "bundle.json")):
        monkeypatch.setattr("sys.argv", ["serve.export", "--bundle", str(tmp_path), "--out", str(out)])
        with pytest.raises(SystemExit) as refused:
            main()
        assert refused.value.code == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / "site").exists()
