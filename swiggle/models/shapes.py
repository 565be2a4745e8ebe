"""Which sizes of pictures and latents fit together. Needs no torch, so it is asked before anything is computed."""

from swiggle.config import VAEArchitecture
from swiggle.errors import SwiggleError

GRID = 8
"""Side of the latent of the dense encoder and decoder."""


class ShapeError(SwiggleError, ValueError):
    """Sizes that do not fit together. The message names the field and says what would fit."""


def latent_shape(config: VAEArchitecture) -> tuple[int, int, int]:
    """Channels and sides of the latent of a model. Raises `ShapeError`."""
    size, halvings = config.image_size, len(config.channels)
    if size < 1:
        raise ShapeError(f"vae.image_size: {size} is no size; 32 or 128 would be")
    if config.latent_channels < 1:
        raise ShapeError(f"vae.latent_channels: {config.latent_channels} are none; 4 would be some")
    if "conv" in (config.encoder, config.decoder) and (not config.channels or min(config.channels) < 1):
        raise ShapeError(f"vae.channels: {config.channels} need to be one width or more, each from 1, as [64, 128]")
    side = GRID
    if config.encoder == "conv":
        reduction = 2**halvings
        if size % reduction:
            fitting = [str(near) for near in (size // reduction * reduction, -(-size // reduction) * reduction) if near]
            raise ShapeError(
                f"vae.image_size: {size} is not divisible by {reduction}, as the {halvings} widths of vae.channels "
                f"need it to be; {' or '.join(fitting)} would be"
            )
        side = size // reduction
    if config.decoder == "dense" and side != GRID:
        raise ShapeError(
            f"vae.decoder: dense needs an {GRID}x{GRID} latent, and the encoder gives {side}x{side}; "
            f"vae.encoder=dense would do, or vae.image_size={GRID * 2**halvings}"
        )
    if config.encoder == "dense" and config.decoder == "conv" and GRID * 2**halvings != size:
        needed = [str(count) for count in range(1, 12) if GRID * 2**count == size]
        if not needed:
            raise ShapeError(
                f"vae.image_size: {size} is no doubling of the latent's {GRID}, as vae.decoder=conv needs it to be; "
                "vae.decoder=dense takes any size"
            )
        raise ShapeError(
            f"vae.channels: {halvings} doublings of {GRID} do not give vae.image_size={size}; {needed[0]} widths would"
        )
    return config.latent_channels, side, side
