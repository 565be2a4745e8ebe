"""The Ray Serve graph, its start command and the page it serves."""

import os
import secrets
import sys

# As in `jobs`: Ray reads these when it is first imported.
if "ray" not in sys.modules:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if "RAY_ADDRESS" not in os.environ and os.environ.setdefault("RAY_AUTH_MODE", "token") == "token":
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
