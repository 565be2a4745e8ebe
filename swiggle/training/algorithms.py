"""Which algorithms a training computes with: the fastest, or those that repeat themselves to the bit."""

import os

import torch


def choose_algorithms(device: torch.device, threads: int, deterministic: bool) -> None:
    """For this process. `deterministic` concerns GPUs alone: on a CPU the same threads always give the same sums.

    Steps are all of one shape, so on a GPU convolutions are tried out once and the fastest is taken.
    """
    if device.type == "cpu":
        torch.set_num_threads(threads)
        return
    torch.backends.cudnn.benchmark = not deterministic
    if deterministic:
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # asked for by PyTorch; read when cuBLAS is first used
        torch.use_deterministic_algorithms(True)
