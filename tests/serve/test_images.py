"""`POST /v1/images/edits`: every parameter of OpenAI's is honoured or refused by name."""

import asyncio
import base64
import io
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from serve.parts.engine import Engine
from serve.parts.masks import check_mask
from serve.routes.api import create_api
from swiggle.data.pixels import decode_picture

PROMPT = {"prompt": "make it a shark"}


@pytest.fixture(scope="module")
def client(engine: Engine) -> Iterator[TestClient]:
    with TestClient(create_api(engine), "http://localhost", raise_server_exceptions=False) as running:
        yield running


@pytest.fixture
def noun(client: TestClient) -> bytes:
    return client.get("/v1/samples/3.png").content


def edit(client: TestClient, *files: tuple[str, bytes], **form: Any) -> httpx.Response:
    sent = [(name, (f"{name}.png", content, "image/png")) for name, content in files]
    return client.post("/v1/images/edits", data=PROMPT | form, files=sent)


def content_of(response: httpx.Response) -> bytes:
    assert response.status_code == 200, response.text
    return base64.b64decode(response.json()["data"][0]["b64_json"])


def picture_of(response: httpx.Response) -> np.ndarray:
    return decode_picture(content_of(response))


def mask_of(clear: np.ndarray, mode: str = "RGBA") -> bytes:
    """A PNG that is transparent where `clear` [H, W] is true, and opaque elsewhere."""
    rgba = np.zeros((*clear.shape, 4), np.uint8)
    rgba[..., 3] = np.where(clear, 0, 255)
    stream = io.BytesIO()
    Image.fromarray(rgba).convert(mode).save(stream, "PNG")
    return stream.getvalue()


def test_a_list_of_one_image_is_that_image(client: TestClient, noun: bytes) -> None:
    assert content_of(edit(client, ("image[]", noun))) == content_of(edit(client, ("image", noun)))


@pytest.mark.parametrize("names", [("image[]", "image[]"), ("image", "image"), ("image", "image[]")])
def test_several_images_are_refused(client: TestClient, noun: bytes, names: tuple[str, ...]) -> None:
    refused = edit(client, *((name, noun) for name in names))
    assert refused.status_code == 400
    error = refused.json()["error"]
    assert (error["code"], error["param"]) == ("unsupported_parameter", names[-1])


def test_an_edit_acts_where_the_mask_is_transparent(client: TestClient, noun: bytes) -> None:
    everywhere = picture_of(edit(client, ("image", noun)))
    nowhere = picture_of(edit(client, ("image", noun), ("mask", mask_of(np.zeros((128, 128), bool)))))
    plain = client.post("/v1/steer", json={"image": base64.b64encode(noun).decode(), "plan": {}, "format": "png"})
    np.testing.assert_array_equal(nowhere, decode_picture(plain.content))
    assert (everywhere != nowhere).any()
    clear = np.zeros((128, 128), bool)
    clear[:70, 30:] = True  # not along the picture's 32 pixels
    for size in ("auto", "128x128"):
        for mode in ("RGBA", "LA"):
            masked = picture_of(edit(client, ("image", noun), ("mask", mask_of(clear, mode)), size=size))
            np.testing.assert_array_equal(masked, np.where(clear[..., None], everywhere, nowhere))
    larger = picture_of(edit(client, ("image", noun), ("mask", mask_of(clear)), size="256x256"))
    np.testing.assert_array_equal(larger, masked.repeat(2, axis=0).repeat(2, axis=1))


def test_a_mask_is_cut_as_its_picture_is(client: TestClient, noun: bytes) -> None:
    """Of a picture that is no square the middle is edited."""
    with Image.open(io.BytesIO(noun)) as image:
        wide = Image.new("RGB", (200, 128), "white")
        wide.paste(image, (36, 0))
    stream = io.BytesIO()
    wide.save(stream, "PNG")
    clear = np.zeros((128, 200), bool)
    clear[:, :100] = True
    masked = picture_of(edit(client, ("image", stream.getvalue()), ("mask", mask_of(clear))))
    assert (masked != picture_of(edit(client, ("image", noun)))).any()
    np.testing.assert_array_equal(
        masked, picture_of(edit(client, ("image", noun), ("mask", mask_of(clear[:, 36:164]))))
    )


def test_masks_that_fit_nothing_are_refused(client: TestClient, noun: bytes) -> None:
    small = mask_of(np.zeros((64, 64), bool))
    jpeg = io.BytesIO()
    Image.new("RGB", (128, 128)).save(jpeg, "JPEG")
    for wrong in (noun, small, jpeg.getvalue(), b"no picture", mask_of(np.zeros((128, 128), bool))[:60]):
        refused = edit(client, ("image", noun), ("mask", wrong))
        assert refused.status_code == 400, refused.text
        assert (refused.json()["error"]["code"], refused.json()["error"]["param"]) == ("invalid_mask", "mask")
    assert edit(client, ("image", noun), ("mask", small), ("mask", small)).json()["error"]["param"] == "mask"


def test_masks_are_checked_off_the_event_loop(client: TestClient, noun: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which way up a PNG stands may be said after its pixels, which are read for that: long where they are many."""
    checked = []

    def check(mask: bytes, image: bytes) -> None:
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        checked.append(check_mask(mask, image))

    monkeypatch.setattr("serve.routes.openai_routes.check_mask", check)
    content_of(edit(client, ("image", noun), ("mask", mask_of(np.zeros((128, 128), bool)))))
    assert checked == [None]


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_other_formats(client: TestClient, noun: bytes, kind: str) -> None:
    exact = picture_of(edit(client, ("image", noun), size="256x256")).astype(int)
    errors = []
    for compression in (None, 100, 10):
        form = {"output_format": kind} | ({"output_compression": compression} if compression is not None else {})
        content = content_of(edit(client, ("image", noun), size="256x256", **form))
        with Image.open(io.BytesIO(content)) as image:
            assert (image.format, image.size) == (kind.upper(), (256, 256))
            errors.append(np.abs(np.asarray(image.convert("RGB")) - exact).mean())
    assert errors[0] == errors[1] < 0.5 * errors[2]


ACCEPTED = [
    {"background": "auto"}, {"background": "opaque"}, {"stream": "false"}, {"stream": "False"}, {"partial_images": "0"},
    {"quality": "auto"}, {"moderation": "low"}, {"user": "someone"},
    {"safety_identifier": "abc"}, {"output_format": "png"}, {"response_format": "b64_json"}, {"n": "1"},
    {"model": "gpt-image-1"}, {"size": "auto"}, {"output_format": "png", "output_compression": "100"},
]  # fmt: skip


@pytest.mark.parametrize("form", ACCEPTED)
def test_parameters_that_change_nothing(client: TestClient, noun: bytes, form: dict[str, str]) -> None:
    assert content_of(edit(client, ("image", noun), **form)) == content_of(edit(client, ("image", noun)))


REFUSED = [
    ("background", "transparent"), ("stream", "true"), ("partial_images", "2"), ("response_format", "url"),
    ("output_format", "gif"), ("output_format", "svg"), ("output_compression", "50"), ("markup", "x"),
    ("frame_count", "4"), ("complexity", "low"), ("style", "vivid"), ("image[0]", "x"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_what_cannot_be_done_is_refused_by_name(client: TestClient, noun: bytes, name: str, value: str) -> None:
    refused = edit(client, ("image", noun), **{name: value})
    assert refused.status_code == 400, refused.text
    error = refused.json()["error"]
    assert (error["code"], error["param"]) == ("unsupported_parameter", name)
    assert name in error["message"]


@pytest.mark.parametrize(
    "form",
    [{"output_format": "jpeg", "output_compression": "101"}, {"output_compression": "x"}, {"quality": "odd"},
     {"background": "red"}, {"stream": "maybe"}, {"input_fidelity": "odd"}, {"moderation": "odd"}],
)  # fmt: skip
def test_values_that_mean_nothing_are_refused(client: TestClient, noun: bytes, form: dict[str, str]) -> None:
    refused = edit(client, ("image", noun), **form)
    assert refused.status_code in (400, 422), refused.text
    assert refused.json()["error"]["param"] == list(form)[-1]


def test_a_parameter_given_twice_is_refused(client: TestClient, noun: bytes) -> None:
    files = {"image": ("a.png", noun, "image/png")}
    refused = client.post("/v1/images/edits", data={"prompt": ["a shark", "a pizza"]}, files=files)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "prompt")


def test_sizes_and_bad_forms(client: TestClient, noun: bytes) -> None:
    assert picture_of(edit(client, ("image", noun), size="256x256")).shape == (256, 256, 3)
    for form, status, param in (
        ({"size": "256x128"}, 400, "size"), ({"size": "4097x4097"}, 400, "size"), ({"size": "big"}, 422, "size"),
        ({"n": "0"}, 422, "n"), ({"n": "11"}, 422, "n"), ({"n": "x"}, 422, "n"), ({"prompt": ""}, 422, "prompt"),
        ({"prompt": "x" * 1001}, 422, "prompt"), ({"model": "m" * 201}, 422, "model"),
    ):  # fmt: skip
        refused = edit(client, ("image", noun), **form)
        assert (refused.status_code, refused.json()["error"]["param"]) == (status, param), refused.text
    missing = client.post("/v1/images/edits", data=PROMPT)
    assert (missing.status_code, missing.json()["error"]["param"]) == (422, "image")
    form = "multipart/form-data"
    for content, kind in (
        (b"{}", "application/json"), (b"", "text/plain"), (b"image=abc&prompt=x", "application/x-www-form-urlencoded"),
        (b"--x", form), (b"x", f"{form}; boundary=a"), (b"--a\r\n", f"{form}; charset=idna; boundary=a"),
    ):  # fmt: skip
        refused = client.post("/v1/images/edits", content=content, headers={"Content-Type": kind})
        assert refused.status_code in (400, 415, 422), refused.text
        assert set(refused.json()["error"]) == {"message", "type", "param", "code"}
