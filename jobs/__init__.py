"""Cluster entry points, one file a stage. This is the place where a pure function of `swiggle` meets Ray."""

import os
import secrets
import sys

# Ray reads these when it is first imported, so they must be set here. A worker imports Ray before this package and
# keeps what its cluster was started with; a driver that joins a cluster (RAY_ADDRESS) brings its own credentials.
if "ray" not in sys.modules:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # A process that ran a validation is kept for the next one: importing torch anew costs more than validating.
    os.environ.setdefault("RAY_num_workers_soft_limit", "16")
    # Ray's own is 15: whatever else runs on a laptop would go first, and threads that wait for each other wait for it.
    os.environ.setdefault("RAY_worker_niceness", "0")
    os.environ.setdefault("RAY_TRAIN_ENABLE_STATE_TRACKING", "1")  # the dashboard's Train tab
    os.environ.setdefault("RAY_TRAIN_ENABLE_PRINT_PATCH", "0")  # it shows every line of a worker twice
    os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")  # Tune's tables; the trials print their own lines
    os.environ.setdefault("RAY_DEDUP_LOGS", "0")  # progress lines differ only in their numbers
    os.environ.setdefault("RAY_DATA_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("RAY_TQDM_PATCH_PRINT", "0")  # numba compiles no function that prints by another `print`
    if "RAY_ADDRESS" not in os.environ and os.environ.setdefault("RAY_AUTH_MODE", "token") == "token":
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
