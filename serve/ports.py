"""What each server on a machine needs for itself: ports and a folder for HAProxy.

HAProxy's statistics (`/stats`) and metrics (`/metrics`) listen on every interface, whatever host the server binds: Ray
offers no setting for it. They show counts of requests and no content; `ss -ltnp` tells their ports, and each can be set
by the variable of its name.
"""

import os
import shutil
import signal
import socket
import tempfile
from pathlib import Path

PORTS = ("HAPROXY_STATS_PORT", "HAPROXY_METRICS_PORT", "FALLBACK_PROXY_HTTP_PORT", "FALLBACK_PROXY_GRPC_PORT")
FILES = {
    "HAPROXY_CONFIG_FILE_LOC": "haproxy.cfg",
    "HAPROXY_SOCKET_PATH": "admin.sock",
    "HAPROXY_SERVER_STATE_BASE": "",
    "HAPROXY_SERVER_STATE_FILE": "server-state",
    "HAPROXY_METRICS_SOCKET_PATH": "metrics.sock",
}
SETTINGS = {
    "HAPROXY_NBTHREAD": str(min(4, os.cpu_count() or 1)),
    "HAPROXY_METRICS_ENABLED": "0",  # one log line a request, which an actor would have to read
    "DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "2",  # an old replica stays until HAProxy has heard of the new one
}


def claim() -> Path:
    """Set Serve's variables, where they are not set, to free ports and a new folder that only this user can enter.
    Must be called before Ray is imported."""
    folder = Path(tempfile.mkdtemp(prefix="swiggle-"))
    probes = [socket.socket() for _ in PORTS]
    for probe in probes:
        probe.bind(("", 0))
    free = {name: str(probe.getsockname()[1]) for name, probe in zip(PORTS, probes, strict=True)}
    for probe in probes:
        probe.close()
    files = {name: str(folder / file) for name, file in FILES.items()}
    for name, value in (free | files | SETTINGS).items():
        os.environ.setdefault(f"RAY_SERVE_{name}", value)
    return folder


def release(folder: Path) -> None:
    """Undo `claim`: stop an HAProxy that outlived Ray, which would keep the port, and remove the folder."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"-f\0{folder}/".encode() in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGTERM)
        except OSError:
            continue  # it ended meanwhile, or is another user's
    shutil.rmtree(folder, ignore_errors=True)
