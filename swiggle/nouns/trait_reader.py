"""The trait reader: which character a picture shows.

For a 32 x 32 picture it finds the traits whose rendering has the least squared error. With the other slots fixed, the
error of every value of a slot is three matrix products; coordinate descent goes over the slots, and a joint search
over body and accessory, which share pixels, ends it. Ground truth for evaluation, never an input to an edit.
"""

import numpy as np

from swiggle.nouns.sprites import LAYERS, SIZE, SLOTS, Sprites

_BATCH = 256
_SWEEPS = 3


class TraitReader:
    def __init__(self, sprites: Sprites) -> None:
        self.sprites = sprites
        self._alpha: dict[str, np.ndarray] = {}
        self._colour: dict[str, np.ndarray] = {}
        for slot in LAYERS:
            pixels = sprites.pixels[slot].reshape(-1, SIZE * SIZE)
            self._alpha[slot] = (pixels > 0).astype(np.float32)
            self._colour[slot] = sprites.palette[pixels].astype(np.float32) * self._alpha[slot][..., None]
        body, accessory = self._alpha["body"], self._alpha["accessory"]
        over = accessory[None, :, :]
        pairs = self._colour["accessory"][None] + (1 - over)[..., None] * self._colour["body"][:, None]
        self._alpha["pair"] = np.maximum(body[:, None], over).reshape(-1, SIZE * SIZE)
        self._colour["pair"] = pairs.reshape(-1, SIZE * SIZE, 3)

    def read(self, images: np.ndarray) -> np.ndarray:
        """Traits int16 [N, 5] in the order of `SLOTS`, of pictures uint8 [N, 32, 32, 3]."""
        parts = [self._read(images[start : start + _BATCH]) for start in range(0, len(images), _BATCH)]
        return np.concatenate(parts) if parts else np.empty((0, len(SLOTS)), np.int16)

    def _read(self, images: np.ndarray) -> np.ndarray:
        x = images.reshape(len(images), -1, 3).astype(np.float32)
        traits = np.zeros((len(x), len(SLOTS)), dtype=np.int16)
        # A first guess: the background by the top left corner, which nothing covers; the head, which covers most, by
        # the pixels that no glasses can hide.
        backgrounds = self.sprites.backgrounds.astype(np.float32)
        traits[:, 0] = np.square(x[:, None, 0] - backgrounds[None]).sum(axis=2).argmin(axis=1)
        free = np.tile(1 - self._alpha["glasses"].max(axis=0), (len(x), 1))
        traits[:, 3] = self._best("head", x, self._under(traits, "head"), free)
        for _ in range(_SWEEPS):
            for slot in ("glasses", "head"):
                found = self._best(slot, x, self._under(traits, slot), self._visible(traits, slot))
                traits[:, SLOTS.index(slot)] = found
            pair = self._best("pair", x, self._under(traits, "body"), self._visible(traits, "accessory"))
            traits[:, 1], traits[:, 2] = np.divmod(pair, self.sprites.count("accessory"))
            errors = np.square(x[:, None] - backgrounds[None, :, None]).sum(axis=3)
            traits[:, 0] = (errors * self._visible(traits, "background")[:, None]).sum(axis=2).argmin(axis=1)
        return traits

    def margins(self, images: np.ndarray, traits: np.ndarray, slot: str, values: np.ndarray) -> np.ndarray:
        """How much better a value of a slot fits than its best rival: the rival's squared error minus its own, summed
        over pixels, the other slots as in traits int [N, 5]. Pictures uint8 [N, 32, 32, 3], values int [N]."""
        x = images.reshape(len(images), -1, 3).astype(np.float32)
        if slot == "background":
            squares = np.square(x[:, None] - self.sprites.backgrounds.astype(np.float32)[None, :, None]).sum(axis=3)
            errors = (squares * self._visible(traits, slot)[:, None]).sum(axis=2)
        else:
            errors = self._errors(slot, x, self._under(traits, slot), self._visible(traits, slot))
        rows = np.arange(len(images))
        own = errors[rows, values]
        errors[rows, values] = np.inf
        return errors.min(axis=1) - own

    def _under(self, traits: np.ndarray, slot: str) -> np.ndarray:
        """What is painted below a slot: float32 [N, pixels, 3]."""
        canvas = np.repeat(self.sprites.backgrounds[traits[:, 0]].astype(np.float32)[:, None], SIZE * SIZE, axis=1)
        for layer in LAYERS[: LAYERS.index(slot)]:
            values = traits[:, SLOTS.index(layer)]
            canvas = self._colour[layer][values] + (1 - self._alpha[layer][values])[..., None] * canvas
        return canvas

    def _visible(self, traits: np.ndarray, slot: str) -> np.ndarray:
        """One where nothing is painted above a slot: float32 [N, pixels]."""
        shown = np.ones((len(traits), SIZE * SIZE), dtype=np.float32)
        for layer in SLOTS[SLOTS.index(slot) + 1 :]:
            shown *= 1 - self._alpha[layer][traits[:, SLOTS.index(layer)]]
        return shown

    def _best(self, slot: str, x: np.ndarray, under: np.ndarray, shown: np.ndarray) -> np.ndarray:
        """The value of least squared error for each picture."""
        return self._errors(slot, x, under, shown).argmin(axis=1)

    def _errors(self, slot: str, x: np.ndarray, under: np.ndarray, shown: np.ndarray) -> np.ndarray:
        """Squared error of each value of a slot [N, values]: alpha * (|c|^2 - 2 x.c + |x|^2 - |x - under|^2), summed
        over the pixels that are shown; what does not depend on the value is left out."""
        alpha, colour = self._alpha[slot], self._colour[slot]
        kept = shown * (np.square(x).sum(axis=2) - np.square(x - under).sum(axis=2))
        error = kept @ alpha.T + shown @ np.square(colour).sum(axis=2).T
        error -= 2 * (x * shown[..., None]).reshape(len(x), -1) @ colour.reshape(len(colour), -1).T
        return error
