"""What the atlas's page shows, gathered from a run."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch

from swiggle.atlas.atlas import Atlas
from swiggle.atlas.cards import ABLATIONS
from swiggle.atlas.feature_figures import ablation_grid, density_histogram, l0_curve, one_feature, reconstruction_grid
from swiggle.atlas.groups import DEAD, MIXED
from swiggle.atlas.label import UNEXPLAINED
from swiggle.atlas.page import COLUMNS, data_url, exact_sheet, lossy_sheet, tiles_of, write_page
from swiggle.atlas.sweeps import STRENGTHS
from swiggle.data.pixels import decode_picture, resize
from swiggle.data.reading import enlarge, first_with_pictures, read_pictures
from swiggle.models.vae import VAE, to_images, to_model
from swiggle.sae.model import SparseAutoencoder

TILE = 32
SHOWN = 6
"""Top pictures on a card."""
ABLATED = 3
"""Of these, how many are shown without the feature."""
GRID = 12
FEATURED = 3
EVERY = 2
"""Of the strengths of a sweep, which are shown: every second."""
"""Features in the figure of ablations."""


def page_of(
    atlas: Atlas,
    folder: Path,
    vae: VAE,
    sae: SparseAutoencoder,
    data: Path,
    trial: dict[str, Any],
    report: dict[str, Any],
    path: Path,
) -> None:
    """Write the page. `trial` describes the dictionary's training, `report` the scores."""
    rows = atlas.table.drop_columns(["one_hot"]).to_pylist()
    ablations = pq.read_table(folder / ABLATIONS)["ablation"].to_pylist()
    cards, sheets, counts = columns_and_sheets(atlas, rows, ablations)
    best = sorted(range(len(rows)), key=lambda i: (-rows[i]["confidence"], i))[:FEATURED]
    live = sum(not row["dead"] for row in rows)
    labelled = sum(row["label"] != UNEXPLAINED for row in rows)
    page = {
        "summary": f"{len(rows):,} features, of which {live:,} fire. {labelled:,} have a label that held-out captions "
        f"bear out; the others are called {UNEXPLAINED}.",
        "features": cards,
        "sheets": {name: {"columns": COLUMNS, "count": max(count, COLUMNS)} for name, count in counts.items()},
        "strengths": STRENGTHS[::EVERY].tolist(),
        "ablated": ABLATED,
        "groups": group_names(rows),
        "first": best[0],
        "figures": figures(atlas, rows, ablations, best, vae, sae, data, trial),
        "measures": measures(report),
    }
    write_page(page, sheets, path)


def columns_and_sheets(
    atlas: Atlas, rows: list[dict[str, Any]], ablations: list[bytes]
) -> tuple[dict[str, list[Any]], dict[str, str], dict[str, int]]:
    """The cards by column, four sheets of tiles as data URLs, and the number of tiles of each."""
    wanted = {i for row in rows for i in (*row["example_ids"][:SHOWN], *row["quantile_example_ids"])}
    position = {number: place for place, number in enumerate(sorted(wanted))}
    drawn = [row for row in rows if not row["dead"]]
    shown = {row["id"]: place for place, row in enumerate(drawn)}
    strips = [tile for row in drawn for tile in tiles_of(row["strip"])[0, ::EVERY]]
    without: list[np.ndarray] = []
    starts: dict[int, int] = {}
    for row in drawn:
        sheet = tiles_of(ablations[row["id"]])
        starts[row["id"]] = len(without)
        blank = np.full((max(0, ABLATED - sheet.shape[1]), TILE, TILE, 3), 255, np.uint8)
        without += [tile for line in sheet for tile in (*line[:ABLATED], *blank)]
    names = {"mean": "mean_activation", "low": "slider_low", "high": "slider_high", "side": "side_effect",
             "side_ids": "side_effect_ids", "cofiring": "nearest_cofiring"}  # fmt: skip
    plain = ("id", "label", "source", "confidence", "precision", "recall", "f1", "density", "x", "y", "group",
             "nearest", "histogram")  # fmt: skip
    names |= {name: name for name in plain}
    cards = {name: [rounded(row[column]) for row in rows] for name, column in names.items()}
    cards |= {
        "side_strengths": [[round(s, 2) for s in row["side_effect_strengths"]] for row in rows],
        "rule": [said(row["rule"]) for row in rows],
        "preview": [shown.get(row["id"], -1) for row in rows],
        "strip": [shown[row["id"]] * len(STRENGTHS[::EVERY]) if row["id"] in shown else -1 for row in rows],
        "ablation": [starts.get(row["id"], -1) for row in rows],
        "examples": [[position[i] for i in row["example_ids"][:SHOWN]] for row in rows],
        "quantiles": [[position[i] for i in row["quantile_example_ids"]] for row in rows],
    }
    previews = [resize(decode_picture(row["natural"]), TILE) for row in drawn]
    sheets = {
        "previews": lossy_sheet(previews, 85),
        "examples": exact_sheet([atlas.pictures[i] for i in position]),
        "strips": lossy_sheet(strips, 60),
        "ablations": lossy_sheet(without, 60),
    }
    counts = {"previews": len(previews), "examples": len(position), "strips": len(strips), "ablations": len(without)}
    return cards, sheets, counts


def rounded(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


def said(rule: str) -> str:
    """A label's rule in words; empty for one that says no more than the label."""
    groups = json.loads(rule)
    if sum(map(len, groups)) < 2:
        return ""
    listed = [" or ".join(" ".join(term["words"]) for term in group) for group in groups]
    return " and ".join(f"{words} of the {group[0]['place']}" for words, group in zip(listed, groups, strict=True))


def group_names(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Where on the map each named group's name stands: amid its features."""
    members: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        if row["group"] not in (DEAD, MIXED):
            members.setdefault(row["group"], []).append((row["x"], row["y"]))
    middle = {name: np.median(np.array(found), axis=0) for name, found in members.items()}
    return [{"name": name, "x": float(x), "y": float(y)} for name, (x, y) in middle.items()]


@torch.inference_mode()
def figures(
    atlas: Atlas,
    rows: list[dict[str, Any]],
    ablations: list[bytes],
    best: list[int],
    vae: VAE,
    sae: SparseAutoencoder,
    data: Path,
    trial: dict[str, Any],
) -> list[dict[str, str]]:
    shown = data / first_with_pictures(data, "test", "validation", "train")
    originals = enlarge(read_pictures(shown, vae.config.image_size, GRID).images, vae.config.image_size)
    z = vae.encode(to_model(originals)).mean
    rebuilt = sae(z.flatten(1))[0].view_as(z)
    grid = reconstruction_grid(
        {"original": originals, "VAE": to_images(vae.decode(z)), "VAE and SAE": to_images(vae.decode(rebuilt))}
    )
    found = [
        (
            "Reconstruction",
            "Held-out pictures, decoded from their latents, and from the dictionary's account of these.",
            grid,
        )
    ]
    if "train_l0" in trial.get("curves", {}):
        curve = l0_curve(trial["curves"]["epoch"], trial["curves"]["train_l0"], trial["l0"])
        found.append(("Sparsity", "How many features are active a picture while the dictionary is trained.", curve))
    found.append(
        ("Density", "How often features fire, over training pictures.", density_histogram(atlas.density.astype(float)))
    )
    one = rows[best[0]]
    pictures = {"at its mean": decode_picture(one["natural"]), "at 1": decode_picture(atlas.png(one["id"], "one_hot"))}
    direction = sae.W_dec[one["id"]].view(vae.latent_shape).numpy()
    feature = one_feature(pictures, direction, atlas.footprint[one["id"]].astype(np.float32), one["histogram"])
    name = f"{one['label']}, feature {one['id']}"
    found.append(("One feature", f"{name}: decoded alone, where it acts, its activations, its direction.", feature))
    grids = {f"{rows[i]['label']}, feature {i}": tiles_of(ablations[i]) for i in best if ablations[i]}
    if grids:
        taken = "Features taken out of the pictures in which they are strongest."
        found.append(("Top pictures with ablations", taken, ablation_grid(grids)))
    return [{"title": title, "caption": caption, "image": data_url(png, "png")} for title, caption, png in found]


def measures(report: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The report's scores as text, by heading."""
    titles = {
        "labels": "Labels on test captions",
        "slots": "Labels and what features change, by true traits",
        "map": "The map, by true traits",
        "heads": "Best head features taken out, by true traits",
    }
    return {
        title: {name.replace("_", " "): f"{value:.3g}" for name, value in report[key].items()}
        for key, title in titles.items()
        if key in report
    }
