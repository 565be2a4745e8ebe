"""The page as a folder for any static host: map, cards and sliders, with the decoder running in the browser.

    python -m serve.export --bundle runs/demo --out site
    python -m http.server --directory site

Beside the page's own files, `site/data` holds

    model.json        sizes, and the shape of every weight in the order of decoder.bin, null where there is none
    decoder.bin       per weight: scales float32 [rows], then int8 [rows, columns]; biases float32
    dictionary.bin    decoder rows of the dictionary, float16 [features, latent_dim]
    samples.json/.bin the active features of the samples; their latents, float32 [samples, latent_dim]
    features.json, cards/*.json  what GET /v1/features and, 256 in a file, /v1/features/{id} answer
    *.png             previews, samples, footprints and examples as sheets of 32 x 32 tiles
    without/*.webp    the first examples without the feature, likewise; strips/*.webp  one picture at all strengths

Only the dense decoder, refined or not, runs in the browser: of a convolutional one there is no decoder.bin or
dictionary.bin, and the page has no sliders and says why. Prompts and uploads need the server.
"""

import argparse
import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from torch import nn

from serve.parts.engine import Engine
from serve.parts.in_process import local_handles, make_engine
from serve.parts.local import LocalHandle, Turns
from serve.parts.sheets import feature_sheet, footprint_sheet
from serve.routes.api import STATIC
from swiggle.atlas.atlas import Atlas
from swiggle.atlas.cards import ABLATIONS
from swiggle.atlas.hand_labels import HandLabels
from swiggle.atlas.tile_sheet import TILE, sprite_sheet, tiles_of
from swiggle.bundle import Bundle
from swiggle.data.pixels import decode_picture, encode_webp, resize
from swiggle.errors import SwiggleError
from swiggle.models.dense import DenseDecoder
from swiggle.models.refine import Refine

EXAMPLES_A_SHEET = 32
"""Features whose examples share one file: small enough to load for one card."""
CARDS_A_FILE = 256
"""Likewise of what their cards say."""


class SavedLabels:
    """What an `Engine` asks of retrieval when it only lists features."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def labels(self) -> HandLabels:
        return self.bundle.hand_labels.read()


Layer = nn.Linear | nn.Conv2d


def rows_of(layer: Layer) -> np.ndarray:
    """The weights of a layer, float32 [rows, columns]; a row of a convolution holds nine numbers a channel."""
    return layer.weight.detach().float().flatten(1).numpy()


def quantised(layer: Layer) -> bytes:
    """A layer as bytes: a scale float32 a row, the rows as int8, the bias float32."""
    weight = rows_of(layer)
    assert layer.bias is not None  # all of them have one
    scale = np.maximum(np.abs(weight).max(axis=1), 1e-12).astype(np.float32) / 127
    rows = np.round(weight / scale[:, None]).astype(np.int8)
    return scale.tobytes() + rows.tobytes() + layer.bias.detach().float().numpy().tobytes()


def layers(decoder: DenseDecoder) -> list[Layer]:
    """The decoder's layers in the order in which they are applied, those of a refinement last."""
    found = [module for module in decoder.modules() if isinstance(module, nn.Linear)]
    dense = [decoder.widen, *(layer for layer in found if layer not in (decoder.widen, decoder.paint)), decoder.paint]
    refine = decoder.refine
    return [*dense, refine.enter, *refine.convolutions(), refine.leave] if isinstance(refine, Refine) else [*dense]


def write_model(bundle: Bundle, data: Path, ablated: int) -> None:
    decoder = bundle.vae.decoder
    rows = bundle.sae.rows()
    shapes = None
    if isinstance(decoder, DenseDecoder):
        shapes = [list(rows_of(layer).shape) for layer in layers(decoder)]
        (data / "decoder.bin").write_bytes(b"".join(quantised(layer) for layer in layers(decoder)))
        (data / "dictionary.bin").write_bytes(rows.astype(np.float16).tobytes())
    sizes = {"features": len(bundle.atlas), "samples": len(bundle.atlas.samples), "latent_dim": rows.shape[1]}
    version = bundle.manifest["files"]["atlas/features.parquet"][:12]
    model = {
        "image_size": bundle.image_size,
        "subject": bundle.atlas.vocabulary.subject,
        **sizes,
        "layers": shapes,
        "version": version,
        "dictionary": bundle.dictionary,
        "ablated": ablated,
        "metrics": bundle.manifest["metrics"],
    }
    (data / "model.json").write_text(json.dumps(model))


async def write_features(bundle: Bundle, engine: Engine, data: Path) -> None:
    everything = list(range(len(bundle.atlas)))
    (data / "features.json").write_text(json.dumps(rounded(await engine.features(everything))))
    (data / "cards").mkdir()
    for start in range(0, len(everything), CARDS_A_FILE):
        cards = [(await engine.card(i)).model_dump() for i in everything[start : start + CARDS_A_FILE]]
        (data / "cards" / f"{start // CARDS_A_FILE}.json").write_text(json.dumps(rounded(cards)))


async def write_samples(bundle: Bundle, engine: Engine, data: Path) -> None:
    pngs = [bundle.atlas.pictures[i] for i in bundle.atlas.samples]
    pictures = np.stack([resize(decode_picture(png), bundle.image_size) for png in pngs])
    latents = bundle.encode(pictures)
    active = [await engine.active(row, 256) for row in bundle.activations(latents)]
    (data / "samples.bin").write_bytes(latents.astype(np.float32).tobytes())
    (data / "samples.json").write_text(json.dumps(rounded([[f.model_dump() for f in row] for row in active])))
    (data / "samples.png").write_bytes(sprite_sheet(pngs))


def write_sheets(atlas: Atlas, data: Path) -> None:
    for kind in ("natural", "one_hot", "example"):
        (data / f"{kind}.png").write_bytes(feature_sheet(atlas, kind))
    (data / "footprints.png").write_bytes(footprint_sheet(atlas.footprint))
    most = max((len(ids) for ids in atlas.example_ids), default=0)
    (data / "examples").mkdir()
    for start in range(0, len(atlas), EXAMPLES_A_SHEET):
        part = atlas.example_ids[start : start + EXAMPLES_A_SHEET]
        rows = [[atlas.pictures[i] for i in ids] + [b""] * (most - len(ids)) for ids in part]
        sheet = sprite_sheet([png for row in rows for png in row], columns=max(1, most))
        (data / "examples" / f"{start // EXAMPLES_A_SHEET}.png").write_bytes(sheet)


def write_what_features_do(bundle: Bundle, data: Path) -> int:
    """Of 32 features a file, a row each: their first examples without them, and a fixed picture at all strengths.
    Returns of how many examples the former is known."""
    ablations = pq.read_table(bundle.folder / "atlas" / ABLATIONS)["ablation"].to_pylist()
    without = [tiles_of(sheet)[1] if sheet else np.empty((0, TILE, TILE, 3), np.uint8) for sheet in ablations]
    strips = [tiles_of(strip)[0] for strip in bundle.atlas.table["strip"].to_pylist()]
    for name, rows in (("without", without), ("strips", strips)):
        (data / name).mkdir()
        most = max(1, *(len(row) for row in rows))
        for start in range(0, len(rows), EXAMPLES_A_SHEET):
            part = rows[start : start + EXAMPLES_A_SHEET]
            sheet = np.full((len(part), most, TILE, TILE, 3), 255, np.uint8)
            for row, tiles in zip(sheet, part, strict=True):
                row[: len(tiles)] = tiles
            picture = sheet.transpose(0, 2, 1, 3, 4).reshape(len(part) * TILE, most * TILE, 3)
            (data / name / f"{start // EXAMPLES_A_SHEET}.webp").write_bytes(encode_webp(picture, 60))
    return max((len(row) for row in without), default=0)


def rounded(value: Any) -> Any:
    """Numbers to five digits, which is more than the page shows."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value


def export(bundle: Bundle, out: Path) -> None:
    """Write the folder."""
    engine = make_engine(bundle, retrieval=LocalHandle(SavedLabels(bundle), Turns()), **local_handles(bundle))
    data = out / "data"
    data.mkdir(parents=True)
    shutil.copytree(STATIC, out / "static", ignore=shutil.ignore_patterns("index.html"))
    page = (STATIC / "index.html").read_text()
    (out / "index.html").write_text(
        page.replace('name="swiggle-data" content=""', 'name="swiggle-data" content="data/"')
    )
    write_model(bundle, data, write_what_features_do(bundle, data))
    asyncio.run(write_features(bundle, engine, data))
    asyncio.run(write_samples(bundle, engine, data))
    write_sheets(bundle.atlas, data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default="runs/demo", help="a folder, hf://owner/name or another URI")
    parser.add_argument("--out", default="site", help="the folder to write; it must not exist yet or be empty")
    options = parser.parse_args()
    out = Path(options.out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        parser.error(f"--out: {out} is there already and not empty")
    try:
        bundle = Bundle.load(options.bundle)
        export(bundle, out)
    except SwiggleError as error:
        parser.error(f"--bundle: {error}")
    if not isinstance(bundle.vae.decoder, DenseDecoder):
        print("The decoder is convolutional, which no browser runs here: the page has map, list and cards, no sliders.")
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    print(f"{out}: {size / 1e6:.1f} MB. Any static host serves it, as `python -m http.server --directory {out}` does.")


if __name__ == "__main__":
    main()
