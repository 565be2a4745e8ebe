"""Keeping memory that a step frees for the next one."""

import ctypes
import platform

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_GIBIBYTE = 1 << 30


def keep_freed_memory() -> None:
    """Tell glibc's malloc, where that is what the process uses, not to hand freed memory back to the system.

    Gradients and activations are freed in each step and allocated anew in the next. glibc returns large ones at once,
    and faulting their pages in again takes a tenth of the `quick` model's step on a CPU. The process keeps the most it
    ever used, up to a gibibyte more than it needs.
    """
    if platform.libc_ver()[0] == "glibc":
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_TRIM_THRESHOLD, _GIBIBYTE)
        mallopt(_M_MMAP_THRESHOLD, _GIBIBYTE)
