"""Peak memory of VAE training, all its processes together, for any number of pictures.

    python -m benchmarks.train_memory --count 50000 --input memory
    python -m benchmarks.train_memory --count 500000 --input stream

Prepares the pictures in a temporary run, trains for a while and samples, four times a second, the proportional set
size of the job and all its descendants (Ray's daemons and object store included): shared pages count once. What the
largest processes held at the peak is printed too. More settings may follow, as in `vae.hidden=64`.
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


def name_of(pid: int) -> str:
    """A process's title, or the module that a Python process runs."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return "ended"
    return words[0] if words[0].startswith("ray::") else next((w for w in words if w.endswith(".py")), words[0])


def peak_memory(module: str, *words: str) -> tuple[float, float, dict[str, float]]:
    """GB at most, seconds, and the GB of processes of each name at the peak, of `python -m module words`."""
    start, most = time.monotonic(), 0
    by_name: dict[str, float] = {}
    with subprocess.Popen([sys.executable, "-m", module, *words], stdout=subprocess.DEVNULL) as job:
        while job.poll() is None:
            sizes = {pid: proportional_set_size(pid) for pid in descendants(job.pid)}
            if sum(sizes.values()) > most:
                most, by_name = sum(sizes.values()), defaultdict(float)
                for pid, size in sizes.items():
                    by_name[name_of(pid)] += size / 1e9
            time.sleep(0.25)
    if job.returncode:
        raise RuntimeError(f"{module} {' '.join(words)} ended with {job.returncode}")
    return most / 1e9, time.monotonic() - start, by_name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--input", choices=["memory", "stream"], default="memory")
    parser.add_argument("--steps", type=int, default=400)
    options, settings = parser.parse_known_args()
    with tempfile.TemporaryDirectory(prefix="swiggle-benchmark-") as run:
        words = (f"run={run}", f"data.count={options.count}", f"vae.steps={options.steps}", *settings)
        for module in ("jobs.prepare_data", "jobs.train_vae"):
            gigabytes, seconds, by_name = peak_memory(module, *words, f"vae.input={options.input}")
            print(
                f"{module}, {options.count:,} pictures, {options.input}: {gigabytes:.2f} GB, {seconds:.0f} s",
                flush=True,
            )
            largest = sorted(by_name.items(), key=lambda item: -item[1])[:8]
            print("  at the peak: " + ", ".join(f"{Path(name).name} {size:.2f}" for name, size in largest), flush=True)


if __name__ == "__main__":
    main()
