"""The shape of the code: one requirement takes a short way through it, and only downwards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_requirement_takes_ten_modules_and_no_way_up(server, tmp_path, monkeypatch):
    from support.replica import build_replica

    default, _ = build_replica(server)
    monkeypatch.setenv("PIP_INDEX_URL", default)
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "trace_requirement.py"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 modules, 6 forms, 0 ways up" in done.stdout


def test_no_module_is_too_full():
    for path in (ROOT / "resolver").rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 400, path
