"""What `preset=quick` leaves to the data: picture size, model, training and sweep, from a survey of the pictures.

The rules were found with Nouns (sprites, 50,000), emoji (3,786 drawings of 64 x 64, and parts of them) and cuttings of
photographs; docs/training.md has the figures. Whatever is chosen can be set by `key=value`.
"""

from dataclasses import asdict, replace
from typing import Any

from swiggle.config import RunConfig
from swiggle.data.survey import Survey
from swiggle.presets import quick

MOST = 200_000
"""Pictures that are taken at most where `data.count` does not say how many."""
MANY = 16_000
"""Pictures from which on a model learns more from the random start than principal components know."""
PIXEL_ART = 48
"""Colours that a sprite has at most (Nouns: 20). Emoji of 64 x 64 have 350 with their soft edges."""
SMALL, LARGE = 16, 64
"""Sides between which pictures keep theirs. Below, a latent of 8 x 8 cells has nothing to say; above, two cores take
hours for what 256 numbers cannot hold."""
DRAWN = 32
"""Side of pictures that are no sprites and few: with 256 numbers a picture no more can be seen of them."""
IN_MEMORY = 2**31
"""Bytes of training pictures beyond which they are streamed. Each worker holds them all, and reading takes as much
again for a moment."""
TRAINED = 8 / 10
"""Share of the pictures in the training split."""

CHOSEN = (
    "data.count",
    "vae.image_size", "vae.encoder", "vae.decoder", "vae.channels", "vae.hidden",
    "vae.steps", "vae.batch_size", "vae.lr", "vae.weight_decay", "vae.kl_weight", "vae.colour_weight",
    "vae.input", "vae.start", "vae.patience", "vae.augment", "vae.augment_share", "vae.checkpoint_every",
    "sae.features", "sae.batch_size", "sae.epochs", "sae.checkpoint_every",
    "sweep.objectives", "sweep.l1", "sweep.k", "sweep.max_fvu", "sweep.max_l0", "sweep.max_dead",
)  # fmt: skip
"""The keys that a choice sets."""


def choose(survey: Survey, composed: bool, image_size: int | None = None) -> dict[str, Any]:
    """The values of all `CHOSEN` keys for pictures, a composed set or an imported one; `image_size` where that is
    decided already."""
    config = quick()
    size = image_size or _size(survey)
    vae = replace(config.vae, image_size=size)
    train = max(1, round(survey.count * TRAINED))
    if size > LARGE and (channels := _ladder(size)):
        vae = replace(vae, encoder="conv", decoder="conv", channels=channels, lr=1e-3)
    config.vae = replace(vae, input="stream" if train * 3 * size**2 > IN_MEMORY else "memory")
    if not composed:
        config.data.count = MOST
        _for_imported(config, survey, train)
    tree = asdict(config)
    return {key: tree[key.split(".")[0]][key.split(".")[1]] for key in CHOSEN}


def _for_imported(config: RunConfig, survey: Survey, train: int) -> None:
    pass


def _size(survey: Survey) -> int:
    side = max(1, survey.side)
    if side < SMALL:
        return side * -(-SMALL // side)  # whole pixels
    if survey.colours <= PIXEL_ART and side <= LARGE:
        return side
    return DRAWN


def _ladder(size: int) -> list[int]:
    """Widths of a ladder of convolutions from pictures to 8 x 8; none where halving does not lead there."""
    widths = [32, 64, 128, 256, 256]
    return next((widths[:steps] for steps in range(1, 6) if 8 * 2**steps == size), [])


def said(survey: Survey, settings: dict[str, Any]) -> str:
    """What was chosen and why, in a line."""
    kind = "pixel art" if survey.colours <= PIXEL_ART else "drawings or photographs"
    what = [f"{kind} of {survey.side} pixels with {survey.colours} colours"]
    if survey.transparent:
        what.append(f"{survey.transparent:.0%} with transparency")
    what.append("registered" if survey.registered else "not registered")
    return f"{survey.count:,} pictures ({', '.join(what)})"
