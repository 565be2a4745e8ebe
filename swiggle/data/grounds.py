"""What transparent pictures are laid on."""

import numpy as np
from PIL import ImageColor

from swiggle.errors import ConfigError

CHECKERED = "checkered"
_LIGHT, _DARK = 255, 204
"""The two greys of a checkered ground, those that picture editors show behind what is transparent."""
_FIELDS = 8
"""Fields of it along a picture's shorter side."""


def check_ground(name: str) -> str:
    """The name itself. Raises `ConfigError` where it is no ground."""
    if name != CHECKERED:
        try:
            ImageColor.getcolor(name, "RGB")
        except ValueError as error:
            raise ConfigError(f"should be the name of a colour, #rrggbb or {CHECKERED}") from error
    return name


def ground_pixels(name: str, height: int, width: int) -> np.ndarray:
    """A ground as uint8 RGB [height, width, 3]; the fields of a checkered one are counted from the corner. Raises
    `ConfigError`."""
    if check_ground(name) != CHECKERED:
        return np.broadcast_to(np.array(ImageColor.getcolor(name, "RGB"), np.uint8), (height, width, 3))
    side = max(1, min(height, width) // _FIELDS)
    rows, columns = np.arange(height) // side, np.arange(width) // side
    dark = (rows[:, None] + columns) % 2 == 1
    return np.where(dark, _DARK, _LIGHT).astype(np.uint8)[..., None].repeat(3, axis=2)
