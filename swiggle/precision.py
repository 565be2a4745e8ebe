"""Which number format to compute in."""

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch


def has_bf16(device: torch.device) -> bool:
    """Whether the processor has instructions for bfloat16; without them it is slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def autocast(choice: Literal["auto", "always", "never"], device: torch.device) -> AbstractContextManager:
    """A context in which matrix products and convolutions run in bfloat16, if the choice and the hardware say so."""
    if choice == "always" or (choice == "auto" and has_bf16(device)):
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()
