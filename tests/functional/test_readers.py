"""What nobody here wrote reads the lock: uv and pip install exactly the pins, decoys or not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

from support.interpreters import find_python
from support.replica import PINS, build_replica, replica_options
from support.server import Server

FOLDER = Path("locks/rocm5.2-cp310")
BIN = Path(sys.executable).parent


def tool(*arguments: object, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("UV_", "PIP_"))}
    return subprocess.run(
        [str(argument) for argument in arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**clean, "PIP_CONFIG_FILE": os.devnull, "NO_COLOR": "1", **(env or {})},
    )


@pytest.fixture(scope="module")
def python310(tmp_path_factory: pytest.TempPathFactory) -> Path:
    interpreter = find_python("3.10")
    if interpreter is None:
        pytest.skip("no CPython 3.10 on this machine")
    folder = tmp_path_factory.mktemp("py310") / "venv"
    made = tool(interpreter, "-m", "venv", folder)
    assert made.returncode == 0, made.stderr
    return folder / "bin" / "python"


def uv_plan(output: str) -> dict[str, str]:
    """Read uv's ``+ name==version`` and ``+ name @ url`` lines."""
    plan = {}
    for line in output.splitlines():
        if not line.strip().startswith("+ "):
            continue
        name, separator, rest = line.strip()[2:].partition(" @ ")
        if separator:
            plan[name] = unquote(rest.rpartition("/")[2]).split("-")[1]
        else:
            name, _, version = name.split(" ")[0].partition("==")
            plan[name] = version
    return plan


@pytest.fixture
def lock(server: Server, run, request) -> list[str]:
    options = replica_options(server)
    assert run("resolve", *options, *getattr(request, "param", [])).status == 0
    return options


@pytest.mark.parametrize(
    "what",
    [
        ["sync", "pylock.toml"],
        ["install", "-r", "pylock.toml"],
        ["sync", "requirements.txt", "--require-hashes"],
        ["install", "-r", "requirements.txt", "--require-hashes"],
    ],
)
def test_uv_installs_exactly_the_pins(lock, server, python310, what, tmp_path):
    words = [FOLDER / word if word.endswith((".toml", ".txt")) else word for word in what]
    result = tool(
        BIN / "uv",
        "pip",
        words[0],
        "--dry-run",
        "--python",
        python310,
        "--index-url",
        server.url("pypi"),
        "--cache-dir",
        tmp_path / "uv",
        *words[1:],
        "--preview",
    )
    assert result.returncode == 0, result.stderr
    assert uv_plan(result.stderr) == PINS


@pytest.mark.parametrize("file", ["requirements.txt", "pylock.toml"])
@pytest.mark.parametrize("extra", [[], ["--extra-index-url"]])
def test_pip_installs_exactly_the_pins(lock, server, python310, extra, file, tmp_path):
    report = tmp_path / "report.json"
    more = [*extra, server.url("rocm")] if extra else []
    result = tool(
        BIN / "python",
        "-m",
        "pip",
        "--python",
        python310,
        "install",
        "--dry-run",
        "--ignore-installed",
        "--no-cache-dir",
        *(["--require-hashes"] if file.endswith(".txt") else []),
        "-r",
        FOLDER / file,
        "--index-url",
        server.url("pypi"),
        *more,
        "--report",
        report,
        "--quiet",
    )
    assert result.returncode == 0, result.stderr
    plan = json.loads(report.read_text())["install"]
    assert {item["metadata"]["name"]: item["metadata"]["version"] for item in plan} == PINS


def test_pip_tools_reads_it(lock, server, python310):
    result = tool(
        BIN / "pip-sync",
        "--dry-run",
        "--python-executable",
        python310,
        "--index-url",
        server.url("pypi"),
        FOLDER / "requirements.txt",
    )
    assert "torch @ " in result.stdout + result.stderr, result.stderr


def test_a_changed_wheel_is_refused_by_pip(lock, server, python310):
    for entry in server.indexes["rocm"].projects["torch"]:
        entry.content += b"changed"
    result = tool(
        BIN / "python",
        "-m",
        "pip",
        "--python",
        python310,
        "install",
        "--dry-run",
        "--no-cache-dir",
        "--require-hashes",
        "-r",
        FOLDER / "requirements.txt",
        "--index-url",
        server.url("pypi"),
    )
    assert result.returncode != 0
    assert "hash" in result.stderr.lower()


@pytest.mark.parametrize("lock", [["--portable"]], indirect=True)
def test_portable_locks_install_from_an_index_and_from_the_folder(
    lock, server, python310, tmp_path
):
    result = tool(
        BIN / "uv",
        "pip",
        "sync",
        "--dry-run",
        "--python",
        python310,
        "--index-url",
        server.url("pypi"),
        "--cache-dir",
        tmp_path / "uv",
        "--require-hashes",
        FOLDER / "requirements.txt",
    )
    assert result.returncode == 0, result.stderr
    assert uv_plan(result.stderr) == PINS
    wheels = FOLDER / "wheels"
    wheels.mkdir()
    for entries in server.indexes["pypi"].projects.values():
        for entry in entries:
            (wheels / entry.filename).write_bytes(entry.content)
    result = tool(
        BIN / "uv",
        "pip",
        "sync",
        "--python",
        python310,
        "--no-index",
        "--cache-dir",
        tmp_path / "uv2",
        "--dry-run",
        FOLDER / "pylock.toml",
        "--preview",
    )
    assert result.returncode == 0, result.stderr
    assert uv_plan(result.stderr) == PINS


def test_a_real_installation(lock, server, tmp_path):
    """Install with pip into a fresh environment; the stand-ins import in the locked versions."""
    interpreter = find_python("3.10")
    if interpreter is None:
        pytest.skip("no CPython 3.10 on this machine")
    venv = tmp_path / "real"
    assert tool(BIN / "uv", "venv", "--python", interpreter, venv).returncode == 0
    python = venv / "bin" / "python"
    result = tool(
        BIN / "python",
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--no-cache-dir",
        "--require-hashes",
        "--quiet",
        "-r",
        FOLDER / "requirements.txt",
        "--index-url",
        server.url("pypi"),
    )
    assert result.returncode == 0, result.stderr
    code = "import torch, torchvision, numpy; print(torch.__version__, torchvision.__version__, numpy.__version__)"
    shown = tool(python, "-c", code)
    assert shown.stdout.split() == [PINS["torch"], PINS["torchvision"], PINS["numpy"]]


def test_what_the_others_would_have_locked(server, python310, tmp_path):
    """Without our lock uv takes the decoys; if that ever changes, the README must as well."""
    default, rocm = build_replica(server)
    (tmp_path / "in.txt").write_text("torchvision==0.14.1+rocm5.2\n")
    result = tool(
        BIN / "uv",
        "pip",
        "compile",
        "--python",
        python310,
        "--no-header",
        "--no-annotate",
        "--cache-dir",
        tmp_path / "uv",
        "--index-url",
        default,
        "--extra-index-url",
        rocm,
        "--index-strategy",
        "unsafe-best-match",
        "--only-binary",
        ":all:",
        tmp_path / "in.txt",
    )
    assert "numpy==2.2.6" in result.stdout, result.stderr
    assert "typing-extensions==99.0" in result.stdout
