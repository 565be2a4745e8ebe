"""A bundle made by hand, in which everything is known: sixteen features, 144 pictures, no training.

    python -m tests.hand_bundle FOLDER

A picture has a thing in each of five places, drawn as a sum of patterns around grey, and at times a mark that no
caption speaks of. The VAE is linear: a latent is the sum of one direction a thing, `UNIT` times as long as the thing is
strong. The dictionary has these directions for decoder rows, so feature `SHARK` fires where there is a shark and at no
other picture, and turning it up draws one. Captions hold every combination once, so what prompts do is known too.
"""

import sys
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import torch

from swiggle.atlas.caption_labels import UNEXPLAINED, Label
from swiggle.captions.vocabulary import Mention, Vocabulary
from swiggle.config import SAEConfig, VAEConfig
from swiggle.data.pixels import encode_png, encode_small_png, encode_webp
from swiggle.models.vae import VAE, to_images
from swiggle.sae.model import SparseAutoencoder
from tests.wide_bundle import drawn_table, write_bundle

THINGS = [
    ("background", "cool"), ("background", "warm"), ("body", "blue"), ("body", "red"), ("accessory", "none"),
    ("accessory", "stripes"), ("accessory", "dots"), ("head", "shark"), ("head", "pizza"), ("head", "robot"),
    ("head", "lamp"), ("glasses", "square black"), ("glasses", "round yellow"), ("body", "green"),
]  # fmt: skip
"""What each feature means, as place and words; two more mean nothing."""
COOL, WARM, BLUE, RED, PLAIN, STRIPES, DOTS, SHARK, PIZZA, ROBOT, LAMP, BLACK, YELLOW, GREEN, MARK, DEAD = range(16)
"""`MARK` fires on every other picture and has no label, `DEAD` fires on none."""
FEATURES = 16
UNIT = 2.0
"""The activation of a thing of strength 1; in pictures they are 0.9 to 1.1 strong."""
GREY = 1 / 255
"""What a picture without anything is, of -1 to 1: level 128."""
_CHOICES = ((COOL, WARM), (BLUE, RED, GREEN), (PLAIN, STRIPES, DOTS), (BLACK, YELLOW), (ROBOT, LAMP, PIZZA, SHARK))
PICTURES = [
    (*chosen, MARK) if sum(chosen) % 2 else chosen for chosen in product(*_CHOICES)
]  # fmt: skip
"""The features of every picture."""
SAMPLE_IDS = [0, 17, 30, 32, 46, 48, 64, 65, 80, 94, 112, 141]
"""Pictures to start from, ascending; none has a shark's head, and numbers 0 and 3 have a robot's."""
AREAS = {
    "head": (slice(0, 12), slice(4, 28)), "glasses": (slice(12, 16), slice(4, 28)),
    "body": (slice(16, 32), slice(4, 28)), "accessory": (slice(20, 28), slice(8, 24)),
}  # fmt: skip
"""Rows and columns of the places; the background is the rest."""
_COLOURS = {
    COOL: (-0.4, -0.1, 0.4), WARM: (0.4, 0.1, -0.3), BLUE: (-0.3, -0.3, 0.5), RED: (0.5, -0.3, -0.3),
    GREEN: (-0.3, 0.5, -0.3), PLAIN: (0.2, 0.2, 0.2), STRIPES: (-0.3, -0.3, -0.3), DOTS: (0.3, 0.3, -0.3),
    SHARK: (-0.5, -0.1, 0.3), PIZZA: (0.6, 0.3, -0.5), ROBOT: (0.3, 0.3, 0.4), LAMP: (0.7, 0.6, -0.2),
    BLACK: (-0.8, -0.8, -0.8), YELLOW: (0.7, 0.6, -0.6), MARK: (0.2, -0.2, 0.2),
}  # fmt: skip


def _texture(feature: int) -> np.ndarray:
    """Where in its place a thing is drawn, [32, 32]."""
    rows, columns = np.indices((32, 32))
    area = np.zeros((32, 32))
    if feature == MARK:
        area[:8, :4] = 1.0
    elif feature != DEAD:
        place = THINGS[feature][0]
        if place == "background":
            area[:, :4] = area[:, 28:] = 1.0
        else:
            area[AREAS[place]] = 1.0
    drawn = {
        STRIPES: rows % 4 < 2, DOTS: (rows // 2 + columns // 2) % 2, PLAIN: rows < 22,
        PIZZA: (rows // 3 + columns // 3) % 2, LAMP: columns < 16, SHARK: rows >= 4,
    }  # fmt: skip
    return area * drawn.get(feature, 1.0)


@cache
def patterns() -> np.ndarray:
    """What each feature adds to a grey picture at strength 1, float64 [features, 3, 32, 32], of values -1 to 1."""
    return np.stack([np.multiply.outer(_COLOURS.get(i, (0.0, 0.0, 0.0)), _texture(i)) for i in range(FEATURES)])


@cache
def strengths() -> np.ndarray:
    """How strong each feature is in each picture, [pictures, features]."""
    there = np.array([[i in chosen for i in range(FEATURES)] for chosen in PICTURES])
    picture, feature = np.indices(there.shape)
    return there * (0.9 + 0.02 * ((7 * picture + 3 * feature) % 11))


def picture_of(given: np.ndarray) -> np.ndarray:
    """The picture uint8 [32, 32, 3] of strengths [features]."""
    drawn = torch.from_numpy(GREY + np.tensordot(given, patterns(), 1)).float()
    return to_images(drawn[None])[0]


def caption_of(chosen: tuple[int, ...]) -> str:
    said = {THINGS[i][0]: THINGS[i][1] for i in chosen if i < len(THINGS)}
    return (
        f"a pixel art character with {said['glasses']} glasses, a {said['head']}-shaped head and a "
        f"{said['body']}-colored body printed with {said['accessory']} on a {said['background']} background"
    )


def labels() -> list[Label]:
    named = [
        Label(
            f"{said} {place}", said, place, 0.95, 1.0, 1.0, 1.0, 0.1, "caption", ((Mention(place, (*said.split(),)),),)
        )
        for place, said in THINGS
    ]
    return [*named, Label(UNEXPLAINED), Label(UNEXPLAINED)]


@torch.no_grad()
def models() -> tuple[VAE, SparseAutoencoder]:
    """The linear VAE and the dictionary of its directions."""
    rows = np.linalg.qr(np.random.default_rng(0).normal(size=(256, FEATURES)))[0].T
    read = np.linalg.pinv(patterns().reshape(FEATURES, -1)).T  # strengths from a picture
    # silu(x) - silu(-x) = x, so pairs of hidden units make a linear map of what is not.
    signs = np.concatenate([np.eye(FEATURES), -np.eye(FEATURES)])
    vae = VAE(VAEConfig(image_size=32, encoder="dense", decoder="dense", hidden=2 * FEATURES, blocks=1)).eval()
    for parameter in vae.parameters():
        parameter.zero_()
    means = np.zeros((512, 2 * FEATURES))
    means[:256] = UNIT * rows.T @ signs.T
    for weight, values in (
        (vae.encoder.see.weight, signs @ read),
        (vae.encoder.narrow.weight, means),
        (vae.decoder.widen.weight, signs @ rows / UNIT),
        (vae.decoder.paint.weight, (signs @ patterns().reshape(FEATURES, -1)).T),
    ):
        weight.copy_(torch.from_numpy(values))
    vae.encoder.see.bias.copy_(torch.from_numpy(-GREY * (signs @ read).sum(axis=1)))
    vae.decoder.paint.bias.fill_(GREY)
    vae.encoder.narrow.bias[256:] = -8.0  # the logarithm of the posterior's variance
    sae = SparseAutoencoder(SAEConfig(objective="jumprelu", features=FEATURES)).eval()
    sae.W_dec.copy_(torch.from_numpy(rows))
    sae.W_enc.copy_(torch.from_numpy(rows.T))
    sae.threshold.fill_(0.1 * UNIT)
    return vae, sae


def hand_bundle(folder: Path, captioned: bool = True) -> Path:
    """Write it; returns the folder. Without captions nothing is known of places, and no feature has a label."""
    vae, sae = models()
    rows = sae.rows()
    every = np.eye(FEATURES)
    alone = [encode_png(picture_of(row)) for row in every]
    turned = np.arange(-2.0, 2.5, 0.5)
    first = strengths()[SAMPLE_IDS[0]]
    strips = [np.concatenate([picture_of(np.where(row, s, first)) for s in turned], axis=1) for row in every]
    drawn = drawn_table(
        alone,
        [encode_small_png(strip) for strip in strips],
        [encode_webp(np.concatenate([strip] * 3)) for strip in strips],
    )
    footprints = np.abs(patterns()).max(axis=1).astype(np.float32)
    grid = np.stack(np.divmod(np.arange(FEATURES), 4), axis=1).astype(np.float32) / 3.0
    images = [picture_of(row) for row in strengths()]
    return write_bundle(
        folder, vae, sae,
        latents=(UNIT * strengths() @ rows).astype(np.float32),
        captions=[caption_of(chosen) if captioned else None for chosen in PICTURES],
        pictures=[encode_png(image) for image in images],
        samples=SAMPLE_IDS, labels=labels() if captioned else [Label(UNEXPLAINED)] * FEATURES,
        footprints=footprints, positions=grid, drawn=drawn,
        metrics={"train_vae": {"psnr": 40.0}}, vocabulary=None if captioned else Vocabulary(),
    )  # fmt: skip


if __name__ == "__main__":
    hand_bundle(Path(sys.argv[1]))
