import platform
import subprocess
import sys

import pytest

# Page faults while 40 MB, more than glibc ever keeps by itself, are allocated and freed again and again.
SCRIPT = """
import resource, torch
from swiggle.training.allocator import keep_freed_memory
{call}
def faults(times):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(times):
        torch.ones(10_000_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults(30)
print(faults(20))
"""


def faults(call: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(call=call)], check=True, stdout=subprocess.PIPE, text=True
    )
    return int(done.stdout)


@pytest.mark.xfail(platform.libc_ver()[0] != "glibc", reason="another allocator")
def test_freed_memory_is_not_faulted_in_again() -> None:
    assert faults("keep_freed_memory()") < 0.5 * faults("")
