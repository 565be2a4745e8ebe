"""Labels of a bundle to a file, hand labels back from one, and hand labels to a retrained dictionary.

    python -m jobs.labels export runs/demo labels.csv
    python -m jobs.labels import runs/demo labels.csv
    python -m jobs.labels move runs/old runs/new
    python -m jobs.labels move runs/demo runs/demo          # after the dictionary was trained again in place

Files are JSON or CSV by their ending, and name the dictionary that was labelled. Imported labels are added to those
that are there; a running server sees them within a second. `move` carries a label where a feature of the new dictionary
fires as the old one did, and says which labels it could not carry.
"""

import argparse
import sys
from itertools import islice
from pathlib import Path

import numpy as np

from swiggle.atlas.activations import activations_of
from swiggle.atlas.label_files import label_rows, read_label_file, write_label_file
from swiggle.atlas.label_move import Labelled, labelled_at, plan_move
from swiggle.bundle import Bundle
from swiggle.data.pixels import decode_picture, resize
from swiggle.errors import SwiggleError
from swiggle.manifest import hash_file
from swiggle.models.vae import VAE
from swiggle.sae.model import SparseAutoencoder

COMPARED = 4_096
"""Pictures of the new bundle on which activations are compared; more tell rare features apart better."""


def export_labels(bundle: Bundle, file: Path) -> None:
    rows = label_rows(bundle.atlas, bundle.hand_labels.read().labels, bundle.dictionary)
    write_label_file(file, rows)
    print(f"{len(rows)} labels written to {file}")


def import_labels(bundle: Bundle, file: Path) -> None:
    found = read_label_file(file, len(bundle.atlas), bundle.dictionary)
    bundle.hand_labels.change(dict(found))
    print(f"{len(found)} labels by hand taken from {file}")


def move_labels(old: Path, new: Bundle) -> None:
    """Carry what is labelled at `old`, in place that of every earlier dictionary. Print what was carried and what was
    not. Raises `LabelError` where there is nothing to carry."""
    stored = list(islice((png for _, png in sorted(new.atlas.pictures.items())), COMPARED))
    seen = [decode_picture(png) for png in stored]
    for labelled in labelled_at(old, other_than=new.dictionary):
        _move_from(labelled, new, seen)


def _move_from(old: Labelled, new: Bundle, seen: list[np.ndarray]) -> None:
    if old.folder is None:
        print(f"not carried: {len(old.labels)} labels of dictionary {old.dictionary}, whose models are gone")
        return
    saes = [SparseAutoencoder.from_pretrained(part / "sae") for part in (old.folder, new.folder)]
    vaes = [VAE.from_pretrained(part / "vae") for part in (old.folder, new.folder)]
    codes = [_codes(vae, sae, seen) for vae, sae in zip(vaes, saes, strict=True)]
    same_vae = hash_file(old.folder / "vae/model.safetensors") == hash_file(new.folder / "vae/model.safetensors")
    rows = (saes[0].rows(), saes[1].rows()) if same_vae else None
    if not same_vae:
        print("the two dictionaries are of two VAEs: activations alone are compared")
    moved = plan_move(old.labels, (codes[0], codes[1]), rows, new.hand_labels.read().labels)
    new.hand_labels.change(dict(moved.carried.values()))
    for feature, reason in sorted(moved.left.items()):
        print(f"not carried: feature {feature}, {old.labels[feature]!r}: {reason}")
    print(
        f"{len(moved.carried)} of {len(old.labels)} labels of dictionary {old.dictionary} carried to {new.folder}, "
        f"compared on {len(seen)} pictures"
    )


def _codes(vae: VAE, sae: SparseAutoencoder, pictures: list[np.ndarray]) -> np.ndarray:
    """Activations [N, features] of pictures of any size."""
    size, found = vae.config.image_size, []
    for start in range(0, len(pictures), 256):
        images = np.stack([resize(picture, size) for picture in pictures[start : start + 256]])
        found.append(activations_of(sae, vae.encode_images(images).reshape(len(images), -1)).toarray())
    return np.concatenate(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("export", "import", "move"))
    parser.add_argument("bundle", type=Path, help="a bundle's folder; for move the one with the labels")
    parser.add_argument("file", type=Path, help="a .json or .csv file; for move the bundle with the new dictionary")
    words = parser.parse_args()
    try:
        if words.action == "export":
            export_labels(Bundle.load(words.bundle), words.file)
        elif words.action == "import":
            import_labels(Bundle.load(words.bundle), words.file)
        else:
            move_labels(words.bundle, Bundle.load(words.file))
    except SwiggleError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
