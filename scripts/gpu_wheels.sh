#!/usr/bin/env bash
# Wheels for a GPU machine without a network, which has torch and NVIDIA's packages already: whatever else the runtime
# dependencies need, at the versions of constraints.txt, for x86-64 Linux. It reads from the environment of `make` which
# packages need which; PYTHON names that of another place.
#
#     scripts/gpu_wheels.sh FOLDER [PYTHON_VERSION]    # here; the version is that of the GPU machine, 3.12 by default
#     pip install --no-index --find-links FOLDER --no-deps FOLDER/*.whl    # there
set -euo pipefail
folder=$(realpath -m "${1:?usage: scripts/gpu_wheels.sh FOLDER [PYTHON_VERSION]}")
version=${2:-3.12}
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}

needed=$("$python" - "$version" <<'PYTHON'
import sys
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

there = {"python_version": sys.argv[1], "python_full_version": f"{sys.argv[1]}.0", "platform_machine": "x86_64"}
lines = Path("constraints.txt").read_text().splitlines()
pins = [Requirement(line) for line in lines if not line.startswith("#")]
pinned = {canonicalize_name(pin.name): pin for pin in pins}
seen: set[tuple[str, str]] = {("torch", "")}  # which alone needs NVIDIA's packages
todo = [("swiggle", "")]  # packages, each with one extra or none
while todo:
    package, extra = todo.pop()
    for need in map(Requirement, requires(package) or []):
        if need.marker is None or need.marker.evaluate({**there, "extra": extra}):
            name = canonicalize_name(need.name)
            new = {(name, also) for also in ("", *need.extras)} - seen
            seen |= new
            todo += new
names = {name for name, _ in seen} - {"torch"}
print("\n".join(str(pinned.get(name, name)) for name in sorted(names)))  # setuptools has no pin
PYTHON
)

# pip takes each name of a platform as it stands: wheels for glibc 2.28 or older, by the new names and the old.
platforms=(--platform manylinux1_x86_64 --platform manylinux2010_x86_64 --platform manylinux2014_x86_64)
for minor in {5..28}; do
  platforms+=(--platform "manylinux_2_${minor}_x86_64")
done
"$python" -m pip download --quiet --no-deps --only-binary=:all: --implementation cp --python-version "$version" \
  "${platforms[@]}" --dest "$folder" --requirement <(printf '%s\n' "$needed")
