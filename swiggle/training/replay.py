"""A training step recorded once as a CUDA graph and then replayed.

    step = Replayed(function, capture=True)
    seen = step(pictures, noise)

At the batch sizes of the presets a step is hundreds of kernels of a few microseconds each, and starting them one by one
from Python takes longer than running them. A graph starts them all at once. What may be recorded is bound to fixed
memory: inputs are copied into the same tensors each time, outputs are overwritten by the next call, and the function
must neither wait for the GPU nor depend on values in Python that change.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

Step = Callable[..., Mapping[str, Tensor]]

WARM_UP = 3
"""Calls before the recording, in which libraries choose their algorithms and optimisers make their state."""


class Replayed:
    def __init__(
        self, step: Step, capture: bool, warm_up: int = WARM_UP, stream: torch.cuda.Stream | None = None
    ) -> None:
        """Without `capture`, as on a CPU, everything but the recording is the same. Each call runs the step once.
        `stream`: the one on which what the step needs was made, where that matters (DistributedDataParallel)."""
        self._step, self._capture, self._left = step, capture, warm_up
        self._stream = stream or (torch.cuda.Stream() if capture else None)
        self._inputs: list[Tensor] = []
        self._graph: torch.cuda.CUDAGraph | None = None
        self._outputs: Mapping[str, Tensor] = {}

    def __call__(self, *inputs: Tensor) -> Mapping[str, Tensor]:
        """The step's outputs, to be read before the next call. Inputs keep the shapes of the first call."""
        if self._inputs:
            for fixed, given in zip(self._inputs, inputs, strict=True):
                fixed.copy_(given, non_blocking=True)
        else:
            self._inputs = [given.clone() for given in inputs]
        if not self._capture:
            self._outputs = self._step(*self._inputs)
        elif self._left:
            self._left -= 1
            self._aside()
        else:
            if self._graph is None:
                self._record()
            assert self._graph is not None  # just recorded
            self._graph.replay()
        return self._outputs

    def _aside(self) -> None:
        """Run the step on a stream of its own, as a recording needs it to have been run."""
        assert self._stream is not None  # there is one where steps are recorded
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            self._outputs = self._step(*self._inputs)
        torch.cuda.current_stream().wait_stream(self._stream)

    def _record(self) -> None:
        self._graph = torch.cuda.CUDAGraph()
        # Other threads, which prefetch, may go on using the GPU.
        with torch.cuda.graph(self._graph, stream=self._stream, capture_error_mode="thread_local"):
            self._outputs = self._step(*self._inputs)


def rate_in_a_tensor(optimizer: torch.optim.Optimizer, device: torch.device) -> None:
    """Let steps of an optimiser, made before or just loaded, take their learning rate from a tensor."""
    for group in optimizer.param_groups:
        rate = torch.as_tensor(group["lr"], dtype=torch.float32).to(device)
        group.update(lr=rate, capturable=device.type == "cuda")


def set_rate(optimizer: torch.optim.Optimizer, rate: float | Tensor) -> None:
    """The learning rate of the next step; a tensor is written into the optimiser's own, which a recording refers to."""
    for group in optimizer.param_groups:
        if isinstance(rate, Tensor):
            group["lr"].copy_(rate)
        else:
            group["lr"] = rate
