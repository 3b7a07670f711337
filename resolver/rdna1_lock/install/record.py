"""The RECORD of an installed package, read within bounds, and the compiled files around it."""

from __future__ import annotations

import csv
import io
import os
import re
from typing import TYPE_CHECKING

from rdna1_lock.install.wheelfile import LARGEST_RECORD, read_rows
from rdna1_lock.regular import read_regular

if TYPE_CHECKING:
    from pathlib import Path


def recorded(folder: Path) -> set[str] | None:
    """Return the paths that the RECORD of an installed package names; None without a good one."""
    try:
        text = read_regular(folder / "RECORD", LARGEST_RECORD, follow=False).decode("utf-8")
        rows = list(read_rows(io.StringIO(text, newline="")))
    except (OSError, ValueError, csv.Error):
        return None
    site = str(folder.parent)
    return {
        os.path.normpath(f"{site}/{row[0]}" if row[0][0] != "/" else row[0])
        for row in rows
        if row and row[0] and "\0" not in row[0]
    }


def compiled_from(path: str, tag: str) -> str | None:
    """Return the source of a compiled file (PEP 3147), None for any other file."""
    folder, _, name = path.rpartition("/")
    if not folder.endswith("/__pycache__"):
        return None
    match = re.fullmatch(rf"(.+?)\.{tag}[^/]*\.pyc(\.\d+)?", name)
    return f"{folder.removesuffix('__pycache__')}{match[1]}.py" if match else None
