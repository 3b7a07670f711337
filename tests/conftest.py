from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_socket
from hypothesis import HealthCheck, settings

from support.server import Server

NEED_INDEX = {"network", "torch"}
settings.register_profile(
    "house",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--run-network", action="store_true", help="run tests that need the package index"
    )
    parser.addoption(
        "--run-torch", action="store_true", help="run tests with the real torch 1.13.1 (0.9 GB)"
    )
    parser.addoption("--run-gpu", action="store_true", help="run tests that need a GPU")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for marker, needs in (
        ("network", "the package index"),
        ("torch", "the real torch"),
        ("gpu", "a GPU"),
    ):
        if config.getoption(f"--run-{marker}"):
            continue
        skip = pytest.mark.skip(reason=f"needs {needs}: --run-{marker}")
        for item in items:
            if marker in item.keywords:
                item.add_marker(skip)


def pytest_runtest_setup(item: pytest.Item) -> None:
    # Sockets are closed but for loopback; only what is marked may go further.
    if NEED_INDEX & set(item.keywords):
        pytest_socket._remove_restrictions()
    else:
        pytest_socket.socket_allow_hosts(["127.0.0.1", "::1"], allow_unix_socket=True)


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Give each test a folder and a cache of its own, and none of this machine's settings."""
    monkeypatch.setenv("RDNA1_LOCK_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_COLOR", "1")
    if NEED_INDEX & set(request.keywords):
        return
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.invalid/simple")


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


@dataclass
class Outcome:
    status: int
    out: str
    err: str

    @property
    def code(self) -> str | None:
        match = re.search(r"(?m)^error\[([\w-]+)\]", self.err)
        return match[1] if match else None


Run = Callable[..., Outcome]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in the test's own folder."""
    from rdna1_lock.cli.main import main

    work = tmp_path / "work"
    work.mkdir(exist_ok=True)
    monkeypatch.chdir(work)
    monkeypatch.setenv("RDNA1_LOCK_DEBUG", "1")

    def call(*arguments: object) -> Outcome:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return call
