"""``sync`` with real wheels from the default index, and stand-ins for the ROCm ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.interpreters import find_python
from support.replica import build_replica
from support.server import Server

pytestmark = [pytest.mark.network, pytest.mark.slow]
FOLDER = Path("locks/rocm5.2-cp310")
CODE = """
import PIL, numpy, requests, torch, torchvision, typing_extensions
print(numpy.__version__, torch.__version__, numpy.arange(3).sum())
"""


def test_sync_installs_real_wheels_and_finds_a_changed_byte(server: Server, run):
    python = find_python("3.10")
    if python is None:
        pytest.skip("no CPython 3.10 on this machine")
    _, rocm = build_replica(server)
    made = run("resolve", "--no-catalogue", "--rocm-index-url", rocm)
    assert made.status == 0, made.err
    result = run("sync", FOLDER, "--venv", "env", "--python", python)
    assert result.status == 0, result.err
    shown = subprocess.run(
        ["env/bin/python", "-c", CODE], capture_output=True, text=True, check=False
    )
    assert shown.stdout.split() == ["1.26.4", "1.13.1+rocm5.2", "3"], shown.stderr
    assert run("sync", FOLDER, "--venv", "env", "--check").status == 0
    [library] = Path("env").glob("lib/python3.10/site-packages/numpy/core/_multiarray_umath*.so")
    content = bytearray(library.read_bytes())
    content[len(content) // 2] ^= 1
    library.write_bytes(content)
    found = run("sync", FOLDER, "--venv", "env", "--check")
    assert (found.status, found.code) == (5, "environment-differs")
    assert library.name in found.err
    assert run("sync", FOLDER, "--venv", "env").status == 0
    assert run("sync", FOLDER, "--venv", "env", "--check").status == 0


@pytest.mark.parametrize(
    ("asked", "specifier"),
    [("torchsde==0.2.5", "numpy (>=1.19.*)"), ("pytorch-lightning==1.7.7", "torch (>=1.9.*)")],
)
def test_sync_installs_wheels_that_pip_refuses(server: Server, run, asked, specifier):
    """The classic programs for these cards pin them; pip 24.1 and newer refuse their METADATA."""
    python = find_python("3.10")
    if python is None:
        pytest.skip("no CPython 3.10 on this machine")
    _, rocm = build_replica(server)
    made = run("resolve", asked, "--no-catalogue", "--rocm-index-url", rocm)
    assert made.status == 0, made.err
    result = run("sync", FOLDER, "--venv", "env", "--python", python)
    assert result.status == 0, result.err
    name, _, version = asked.partition("==")
    code = f"import importlib.metadata as m; d = m.distribution('{name}'); print(d.version, *d.requires)"
    shown = subprocess.run(
        ["env/bin/python", "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert shown.startswith(version)
    assert specifier in shown
    assert run("sync", FOLDER, "--venv", "env", "--check").status == 0
    [wheel] = (FOLDER / "wheels").glob(f"{name.replace('-', '_')}-{version}-*.whl")
    pip = [sys.executable, "-m", "pip", "--python", "env/bin/python", "install"]
    refused = subprocess.run(
        [*pip, "--dry-run", "--no-deps", "--no-index", "--ignore-installed", wheel],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "invalid metadata" in refused.stderr
