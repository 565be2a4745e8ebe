"""What `import jobs` sets before Ray is imported."""

import subprocess
import sys

from tests.conftest import ENVIRONMENT, ROOT

COMPILES = """
import jobs
import numba
from ray.experimental import tqdm_ray
tqdm_ray.instance()
print(numba.njit(lambda: numba.get_num_threads())())
"""


def test_numba_compiles_beside_ray() -> None:
    """Ray's progress bars replace `print`, which numba knows alone; the map of more than 4,096 features needs it."""
    command = [sys.executable, "-c", COMPILES]
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
