"""Head edits through a running server's `POST /v1/edits`, scored against ground truth.

make demo                                # in another terminal
python -m benchmarks.head_edits --url http://127.0.0.1:8000 --run runs/demo
"""

import argparse
import base64
from collections.abc import Sequence
from pathlib import Path

import httpx
import numpy as np

from swiggle.data.pixels import decode_picture, encode_png, resize
from swiggle.data.reading import read_pictures
from swiggle.evaluation.trait_edits import draw_pairs, score
from swiggle.evaluation.truth import composed, true_traits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--run", type=Path, default=Path("runs/demo"), help="where the held-out pictures are")
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()
    composition = composed("nouns")
    pictures = read_pictures(options.run / "data/test", composition.size)
    images, traits = pictures.images, true_traits(options.run / "data/test", composition, pictures.ids)
    replayed = 0

    with httpx.Client(base_url=options.url, timeout=60) as server:

        def answer(path: str, body: dict) -> dict:
            response = server.post(path, json=body)
            response.raise_for_status()
            return response.json()

        def to_picture(text: str) -> np.ndarray:
            return resize(decode_picture(base64.b64decode(text)), composition.size)

        def edit_one(picture: np.ndarray, prompt: str) -> np.ndarray:
            nonlocal replayed
            edited = answer("/v1/edits", {"image": base64.b64encode(encode_png(picture)).decode(), "prompt": prompt})
            again = answer("/v1/steer", {"session": edited["session"], "plan": edited["plan"]})
            replayed += again["image"] == edited["image"]
            return to_picture(edited["image"])

        def edit(pictures: np.ndarray, prompts: Sequence[str]) -> np.ndarray:
            return np.stack([edit_one(picture, prompt) for picture, prompt in zip(pictures, prompts, strict=True)])

        def reconstruct(pictures: np.ndarray) -> np.ndarray:
            encoded = [base64.b64encode(encode_png(picture)).decode() for picture in pictures]
            return np.stack(
                [to_picture(answer("/v1/steer", {"image": image, "plan": {}})["image"]) for image in encoded]
            )

        pairs = draw_pairs(composition, composition.subject, images, traits, options.pairs, options.seed)
        for name, value in score(pairs, edit, reconstruct, composition.requests.development).items():
            print(f"{name:22} {value:.3f}")
        print(f"{'replayed to the byte':22} {replayed}/{options.pairs}")


if __name__ == "__main__":
    main()
