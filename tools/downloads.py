"""What tests download is kept outside the tree, so that a second run fetches nothing."""

from __future__ import annotations

import os
from pathlib import Path


def downloads(kind: str) -> Path:
    """Return the folder for one kind of file; it exists."""
    base = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    folder = Path(base) / "rdna1-lock-tests" / kind
    folder.mkdir(parents=True, exist_ok=True)
    return folder
