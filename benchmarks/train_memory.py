"""Peak memory of VAE training, all its processes together, for any number of pictures.

    python -m benchmarks.train_memory --count 50000 --input memory
    python -m benchmarks.train_memory --count 500000 --input stream

Prepares the pictures in a temporary run, trains for a while and samples, four times a second, the proportional set
size of the job and all its descendants (Ray's daemons and object store included): shared pages count once.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path


def descendants(root: int) -> list[int]:
    children = defaultdict(list)
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, rest = status.read_text().split(" (", 1)
            children[int(rest.rsplit(") ", 1)[1].split()[1])].append(int(pid))
        except OSError:  # ended meanwhile
            continue
    found, waiting = [], [root]
    while waiting:
        found.append(waiting.pop())
        waiting += children[found[-1]]
    return found


def proportional_set_size(pid: int) -> int:
    """Bytes."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def peak_memory(module: str, *words: str) -> tuple[float, float]:
    """GB at most, and seconds, of `python -m module words`."""
    start, most = time.monotonic(), 0
    with subprocess.Popen([sys.executable, "-m", module, *words], stdout=subprocess.DEVNULL) as job:
        while job.poll() is None:
            most = max(most, sum(proportional_set_size(pid) for pid in descendants(job.pid)))
            time.sleep(0.25)
    if job.returncode:
        raise RuntimeError(f"{module} {' '.join(words)} ended with {job.returncode}")
    return most / 1e9, time.monotonic() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--input", choices=["memory", "stream"], default="memory")
    parser.add_argument("--steps", type=int, default=400)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="swiggle-benchmark-") as run:
        words = (f"run={run}", f"data.count={options.count}", f"vae.steps={options.steps}")
        for module in ("jobs.prepare_data", "jobs.train_vae"):
            gigabytes, seconds = peak_memory(module, *words, f"vae.input={options.input}")
            print(
                f"{module}, {options.count:,} pictures, {options.input}: {gigabytes:.2f} GB, {seconds:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
