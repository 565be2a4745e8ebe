"""What `preset=quick` leaves to the data: picture size, model, training and sweep, from a survey of the pictures.

The rules were found with Nouns (sprites, 50,000), emoji (3,786 drawings of 64 x 64, and parts of them) and cuttings of
photographs; docs/training.md has the figures. Whatever is chosen can be set by `key=value`.
"""

import math
from dataclasses import asdict, replace
from typing import Any

from swiggle.config import RunConfig
from swiggle.data.survey import Survey
from swiggle.presets import quick

MOST = 200_000
"""Pictures that are taken at most where `data.count` does not say how many."""
MANY = 20_000
"""Pictures from which on all of a model learns, and sprites are trained on as Nouns are. Of 3,033 emoji, learning all
gave 0.2 to 0.7 dB more than learning the refinement alone, at several times the work and with a latent of which 40
directions hold 65% of the variance instead of 82%, so that sparse features say less of it."""
NARROW = 512
"""Hidden units that carry 256 components and nothing else."""
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
PASSES = 100
"""Times that each picture is seen at most. Emoji were best after 50 to 90; what more costs, validation says."""
LEAST_STEPS, MOST_STEPS = 1_000, 9_000
"""Of which a thousand take two minutes on two cores, and the most are those of Nouns."""
SAE_STEPS = 1_200
"""Steps of a dictionary at least: as many as Nouns have, of which there are enough for 39 a pass."""
A_SLOT = 4.0
"""Active features a slot of a composed picture, at most: 20 for the five of Nouns. Of avatars of ten slots a dictionary
with L0 29 has coverage 0.87, one with 18.8, within 20, 0.79."""
MAX_L0 = 38.0
"""Active features on validation pictures, so that on test there are 40 at most (emoji: 36.0 and 37.3)."""
MAX_DEAD = 0.5
"""Share of features that may be silent on validation, where few pictures are few chances: of 2,048 features for emoji
19% to 43% are, on 415 pictures. With 0.25 the sparser half of a sweep would not count."""

CHOSEN = (
    "data.count",
    "vae.image_size", "vae.encoder", "vae.decoder", "vae.channels", "vae.hidden", "vae.blocks",
    "vae.refine", "vae.steps", "vae.batch_size", "vae.lr", "vae.lr_warmup_steps", "vae.colour_weight", "vae.ema_decay",
    "vae.input", "vae.start", "vae.learn", "vae.patience", "vae.augment", "vae.augment_share", "vae.checkpoint_every",
    "sae.features", "sae.whitening", "sae.batch_size", "sae.epochs", "sae.checkpoint_every",
    "sweep.objectives", "sweep.l1", "sweep.k", "sweep.max_fvu", "sweep.max_l0", "sweep.max_dead",
)  # fmt: skip
"""The keys that a choice sets."""


def choose(survey: Survey, slots: int = 0, image_size: int | None = None) -> dict[str, Any]:
    """The values of all `CHOSEN` keys for pictures: imported ones, or a composed set of so many slots; `image_size`
    where that is decided already."""
    config = quick()
    size = image_size or _size(survey)
    train = max(1, round(survey.count * TRAINED))
    config.vae.image_size = size
    if slots:
        config.sweep.max_l0 = A_SLOT * slots
    else:
        config.data.count = MOST
        if not (is_pixel_art(survey) and survey.registered and survey.count >= MANY):
            _for_any_pictures(config, survey, train)
    if size > LARGE and (channels := _ladder(size)):
        config.vae = replace(config.vae, encoder="conv", decoder="conv", channels=channels, lr=1e-3, start="random")
        config.vae.refine, config.vae.learn = 0, "all"
    if train * 3 * size**2 > IN_MEMORY:
        config.vae.input = "stream"
    tree = asdict(config)
    return {key: tree[section][name] for key in CHOSEN for section, _, name in [key.partition(".")]}


def is_pixel_art(survey: Survey) -> bool:
    """Whether pictures have few colours and few pixels, each of which counts."""
    return 0 < survey.colours <= PIXEL_ART and survey.side <= LARGE


def _for_any_pictures(config: RunConfig, survey: Survey, train: int) -> None:
    """Drawings and photographs, and sprites that are few: begin as principal components and stop in time."""
    steps = min(MOST_STEPS, max(LEAST_STEPS, PASSES * train // config.vae.batch_size))
    every = 100 if steps < MOST_STEPS else 500
    config.vae = replace(
        config.vae, start="pca", refine=32, lr=1e-3, lr_warmup_steps=100, colour_weight=0.0, ema_decay=0.995,
        steps=round(steps, -2), checkpoint_every=every, patience=8, augment=[] if survey.registered else ["mirror"],
        augment_share=0.3,
    )  # fmt: skip
    if survey.count < MANY:
        config.vae = replace(config.vae, learn="refinement", hidden=NARROW, blocks=0)
    batch = 1_024 if train >= MANY else 256
    if not survey.registered:
        # Whitening finds what varies little and means much, as the glasses of Nouns. Emoji lose by it: on validation
        # `matryoshka` with k 16 has FVU 0.103 and captions 0.44 without, 0.133 and 0.42 with 0.6.
        config.sae.whitening = 0.0
    config.sae = replace(
        config.sae, batch_size=batch, features=min(2_048, max(64, 2 ** round(math.log2(train)))),
        epochs=max(30, min(240, SAE_STEPS * min(batch, train) // train)),
    )  # fmt: skip
    config.sweep = replace(
        config.sweep, objectives=["batch_topk", "matryoshka"], k=[16, 20, 24], max_fvu=0.15, max_l0=MAX_L0,
        max_dead=MAX_DEAD,
    )  # fmt: skip


def _size(survey: Survey) -> int:
    side = max(1, survey.side)
    if side < SMALL:
        return side * -(-SMALL // side)  # whole pixels
    return side if is_pixel_art(survey) else DRAWN


def _ladder(size: int) -> list[int]:
    """Widths of a ladder of convolutions from pictures to 8 x 8; none where halving does not lead there."""
    widths = [32, 64, 128, 256, 256]
    return next((widths[:steps] for steps in range(1, 6) if 8 * 2**steps == size), [])


def said(survey: Survey, settings: dict[str, Any]) -> str:
    """What was chosen and why, in a line."""
    count, size = f"{survey.count:,} pictures", settings["vae.image_size"]
    kind = "pixel art" if is_pixel_art(survey) else "drawings or photographs"
    where = "in fixed places" if survey.registered else "anywhere in the picture"
    steps = f"{settings['vae.steps']:,} steps"
    if settings["vae.patience"]:
        steps = f"at most {steps}, as long as validation improves"
    ways = [f"a {settings['vae.encoder']} model", steps, *(f"augmented by {way}" for way in settings["vae.augment"])]
    if settings["vae.start"] == "pca":
        ways.insert(1, "from principal components")
    if settings["vae.input"] == "stream":
        ways.append("streamed, for they are too many to hold in memory")
    return (
        f"{count}, {kind} of {survey.side} pixels, things {where}: {size} x {size} pixels, {', '.join(ways)}; "
        f"{settings['sae.features']:,} features. Any of it can be set by key=value"
    )
