"""What several tests share. The smoke run is made once, by the same command that a user would type."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import torch
from PIL import Image

ROOT = Path(__file__).parent.parent
ENVIRONMENT = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
for _name in ("RAY_ADDRESS", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN"):
    ENVIRONMENT.pop(_name, None)
os.environ["HF_HUB_OFFLINE"] = "1"

# As small as a run can be that still goes through every stage.
TINY = [
    "preset=smoke", "data.count=300", "vae.steps=20", "vae.hidden=64", "vae.checkpoint_every=10",
    "sae.features=64", "sae.epochs=2", "sae.batch_size=64", "sae.checkpoint_every=1", "sweep.l1=[1.0,2.0]",
    "atlas.samples=4", "atlas.umap_neighbors=8",
]  # fmt: skip


# What starts a server, Ray or a browser; what uses it is no unit test.
COMPONENTS = {"smoke_run", "head", "mortal_head", "cluster", "browser"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if COMPONENTS & set(getattr(item, "fixturenames", ())) and not item.get_closest_marker("integration"):
            raise pytest.UsageError(f"{item.nodeid} starts a component: mark it as an integration test")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI nothing may be skipped: a check that did not run has not passed."""
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"
    return report


def run_module(module: str, *arguments: str, timeout: float = 600, **environment: str) -> subprocess.CompletedProcess:
    """`python -m module arguments`, its output captured as one text."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**ENVIRONMENT, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )


def coloured(figure: Path) -> int:
    """How many pixels of a figure are in colour: none of one whose axes are empty, for these are black on white."""
    with Image.open(figure) as image:
        levels = np.asarray(image.convert("RGB")).astype(int)
    return int((np.ptp(levels, axis=2) > 60).sum())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def hand_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of `tests/hand_bundle.py`, for all tests that write nothing but labels and take these back."""
    from tests.hand_bundle import hand_bundle

    return hand_bundle(tmp_path_factory.mktemp("hand"))


@pytest.fixture
def hand_copy(hand_folder: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    ignored = shutil.ignore_patterns("hand_labels*", "*.lock", "chroma")
    return Path(shutil.copytree(hand_folder, tmp_path / "hand", ignore=ignored))


@pytest.fixture(scope="session")
def smoke_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run directory, which is a bundle, of `python -m jobs.pipeline preset=smoke`.

    SWIGGLE_SMOKE_RUN names one that was made before, which saves its minutes while one test is worked on; a copy is
    used.
    """
    run = tmp_path_factory.mktemp("smoke") / "run"
    if made := os.environ.get("SWIGGLE_SMOKE_RUN"):
        return Path(shutil.copytree(made, run))
    # By a relative path, as most people type it: workers have other working folders.
    result = run_module("jobs.pipeline", "preset=smoke", f"run={os.path.relpath(run, ROOT)}")
    assert result.returncode == 0, result.stdout[-5000:]
    return run


class Server:
    """A running `python -m serve`, with all it has printed in `log`."""

    def __init__(self, bundle: Path, log: Path, *options: str, key: str | None = None, patience: float = 180) -> None:
        """`patience`: seconds in which it has to come up."""
        self._patience = patience
        self._key = {"SWIGGLE_API_KEY": key} if key else {}
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        self.command = [sys.executable, "-m", "serve", "--bundle", str(bundle), "--port", str(self.port), *options]
        self.start()

    def start(self) -> None:
        """Start, or start again, at the same port."""
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env={**ENVIRONMENT, **self._key}, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + self._patience
        while "is serving" not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            assert time.monotonic() < deadline, self.log.read_text()[-3000:]
            time.sleep(0.5)
        self.http = httpx.Client(base_url=self.url, headers=self.headers, timeout=60)

    def stop(self) -> None:
        self.http.close()
        self.process.send_signal(2)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()


@pytest.fixture(scope="session")
def server(hand_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(hand_folder, tmp_path_factory.mktemp("serve") / "log")
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Of torch, whatever an import or a test before has set: the threads of small operations wait for each other, up to
    a hundred times as long as they compute where other processes run as well."""
    torch.set_num_threads(1)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
