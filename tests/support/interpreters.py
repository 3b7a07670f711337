"""Interpreters for tests: on PATH, or one that pyenv keeps off it."""

from __future__ import annotations

import os
from pathlib import Path

from rdna1_lock.install.interpreter import probe


def find_python(series: str) -> str | None:
    roots = Path(os.environ.get("PYENV_ROOT", Path("~").expanduser() / ".pyenv"))
    kept = sorted((roots / "versions").glob(f"{series}.*/bin/python{series}"))
    for name in (f"python{series}", *map(str, kept)):
        found = probe(name)
        if found is not None and found.series == series:
            return str(found.executable)
    return None
