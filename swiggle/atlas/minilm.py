"""MiniLM for one short text, the case of a prompt: the same weights and numbers, in half the time.

For a handful of words most of the time of a general implementation goes into the code around the matrix products. Here
are the products alone: the encoder of BERT (Devlin et al., arXiv 1810.04805) with its three projections of attention in
one, then the mean over tokens, of unit length.
"""

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor
from transformers import BertModel

LONGEST = 64
"""Tokens up to which this is the faster way."""


class ShortTexts:
    """Embeds one text at a time with a BERT model's weights."""

    def __init__(self, model: BertModel, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._heads = model.config.num_attention_heads
        self._width = model.config.hidden_size
        self._eps = model.config.layer_norm_eps
        weights = model.state_dict()
        self._words = weights["embeddings.word_embeddings.weight"]
        positions = weights["embeddings.position_embeddings.weight"]
        self._positions = positions + weights["embeddings.token_type_embeddings.weight"][0]
        self._first_norm = (weights["embeddings.LayerNorm.weight"], weights["embeddings.LayerNorm.bias"])
        self._layers = [_Layer(weights, f"encoder.layer.{i}.") for i in range(model.config.num_hidden_layers)]

    @torch.inference_mode()
    def encode(self, text: str) -> np.ndarray | None:
        """float32 [width], of unit length; None for a text that is too long for this."""
        tokens = self._tokenizer.encode(text).ids
        if len(tokens) > LONGEST:
            return None
        x = self._norm(self._words[tokens] + self._positions[: len(tokens)], *self._first_norm)
        for layer in self._layers:
            x = self._norm(x + self._attention(x, layer), *layer.attention_norm)
            x = self._norm(x + F.linear(F.gelu(F.linear(x, *layer.up)), *layer.down), *layer.norm)
        return F.normalize(x.mean(dim=0), dim=0).numpy()

    def _attention(self, x: Tensor, layer: "_Layer") -> Tensor:
        """Self-attention of tokens [n, width]."""
        parts = F.linear(x, *layer.attention).view(len(x), 3, self._heads, -1).permute(1, 2, 0, 3)
        seen = F.scaled_dot_product_attention(*parts[:, None])[0]
        return F.linear(seen.transpose(0, 1).reshape(len(x), self._width), *layer.attention_out)

    def _norm(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return F.layer_norm(x, (self._width,), weight, bias, self._eps)


class _Layer:
    """A layer's weights and biases, as pairs."""

    def __init__(self, weights: dict[str, Tensor], prefix: str) -> None:
        def pair(name: str) -> tuple[Tensor, Tensor]:
            return weights[f"{prefix}{name}.weight"], weights[f"{prefix}{name}.bias"]

        three = [pair(f"attention.self.{name}") for name in ("query", "key", "value")]
        self.attention = torch.cat([w for w, _ in three]), torch.cat([b for _, b in three])
        self.attention_out, self.attention_norm = pair("attention.output.dense"), pair("attention.output.LayerNorm")
        self.up, self.down, self.norm = pair("intermediate.dense"), pair("output.dense"), pair("output.LayerNorm")
