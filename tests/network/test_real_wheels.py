"""``sync`` with real wheels from the default index, and stand-ins for the ROCm ones."""

from __future__ import annotations

import subprocess
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
