"""OpenAI's clients for Python and Node, and curl, as its documentation uses them, against a running server."""

import asyncio
import base64
import io
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from openai import AsyncOpenAI, BadRequestError, OpenAI
from PIL import Image

from swiggle.data.pixels import decode_picture
from tests.conftest import Server

pytestmark = pytest.mark.integration
NODE = Path(__file__).parent / "node"
PROMPT = "make it a shark"


@pytest.fixture(scope="module")
def files(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with picture.png, and mask.png, which is transparent in the upper half."""
    folder = tmp_path_factory.mktemp("openai")
    noun = server.http.get("/v1/samples/3.png").content
    (folder / "picture.png").write_bytes(noun)
    with Image.open(io.BytesIO(noun)) as image:
        mask = Image.new("RGBA", image.size, (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), (0, 0, mask.width, mask.height // 2))
    mask.save(folder / "mask.png")
    return folder


@pytest.fixture(scope="module")
def edited(server: Server, files: Path) -> np.ndarray:
    """The edited picture, as our own route answers it."""
    body = {"image": base64.b64encode((files / "picture.png").read_bytes()).decode(), "prompt": PROMPT}
    return decode_picture(base64.b64decode(server.http.post("/v1/edits", json=body).json()["image"]))


@pytest.fixture(scope="module")
def masked(server: Server, files: Path, edited: np.ndarray) -> np.ndarray:
    """The same in its upper half; unedited below."""
    body = {"image": base64.b64encode((files / "picture.png").read_bytes()).decode(), "plan": {}, "format": "png"}
    plain = decode_picture(server.http.post("/v1/steer", json=body).content)
    return np.concatenate([edited[: len(edited) // 2], plain[len(plain) // 2 :]])


def read(text: str | None) -> np.ndarray:
    return decode_picture(base64.b64decode(text or ""))


def test_python(server: Server, files: Path, edited: np.ndarray, masked: np.ndarray) -> None:
    client = OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)
    with (files / "picture.png").open("rb") as image:
        answer = client.images.edit(model="swiggle", image=[image], prompt=PROMPT, stream=False, user="someone")
    assert answer.data
    np.testing.assert_array_equal(read(answer.data[0].b64_json), edited)
    with (files / "picture.png").open("rb") as image, (files / "mask.png").open("rb") as mask:
        answer = client.images.edit(model="swiggle", image=image, mask=mask, prompt=PROMPT, output_format="webp")
    assert answer.data
    assert base64.b64decode(answer.data[0].b64_json or "").startswith(b"RIFF")
    with (files / "picture.png").open("rb") as image, (files / "mask.png").open("rb") as mask:
        answer = client.images.edit(model="swiggle", image=image, mask=mask, prompt=PROMPT)
    assert answer.data
    np.testing.assert_array_equal(read(answer.data[0].b64_json), masked)
    with (files / "picture.png").open("rb") as image, pytest.raises(BadRequestError) as refused:
        client.images.edit(model="swiggle", image=[image, image], prompt=PROMPT)
    assert (refused.value.code, refused.value.param) == ("unsupported_parameter", "image[]")


def test_python_asynchronously(server: Server, files: Path, masked: np.ndarray) -> None:
    async def ask() -> None:
        async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
            with (files / "picture.png").open("rb") as image, (files / "mask.png").open("rb") as mask:
                answer = await client.images.edit(model="swiggle", image=[image], mask=mask, prompt=PROMPT)
            assert answer.data
            np.testing.assert_array_equal(read(answer.data[0].b64_json), masked)

    asyncio.run(ask())


def test_models(server: Server) -> None:
    client = OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)
    assert [model.id for model in client.models.list()] == ["swiggle"]
    assert client.models.retrieve("swiggle").object == "model"


def test_node(server: Server, files: Path, tmp_path: Path, edited: np.ndarray, masked: np.ndarray) -> None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("no node on the PATH")
    folder = Path(shutil.copytree(NODE, tmp_path / "node"))
    command = ["npm", "ci", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"]
    installed = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert installed.returncode == 0, installed.stderr
    command = ["node", "edit.mjs", server.url, str(files / "picture.png"), str(files / "mask.png")]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    answer = json.loads(ran.stdout)
    np.testing.assert_array_equal(read(answer["one"]), edited)
    np.testing.assert_array_equal(read(answer["listed"]), masked)
    assert answer["streamed"] == {"status": 400, "param": "stream"}
    assert answer["models"] == ["swiggle"]


CURL = """
curl -s -X POST "$URL/v1/images/edits" \\
  -H "Authorization: Bearer $OPENAI_API_KEY" \\
  -F "model=gpt-image-1" \\
  -F "mask=@mask.png" \\
  -F "image[]=@picture.png" \\
  -F 'prompt=make it a shark' \\
  > answer.json
python3 -c 'import json; print(json.load(open("answer.json"))["data"][0]["b64_json"])' | base64 --decode > edited.png
"""


def test_curl(server: Server, files: Path, masked: np.ndarray) -> None:
    environment = {"URL": server.url, "OPENAI_API_KEY": "none", "PATH": "/usr/local/bin:/usr/bin:/bin"}
    ran = subprocess.run(
        ["sh", "-ec", CURL], cwd=files, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, (ran.stderr, (files / "answer.json").read_text()[:500])
    np.testing.assert_array_equal(decode_picture((files / "edited.png").read_bytes()), masked)
