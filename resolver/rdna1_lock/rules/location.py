"""Find ``constraints/``: inside the installed package, or next to the source root in a checkout."""

from __future__ import annotations

from pathlib import Path

from rdna1_lock.errors import InputError


def constraints_dir() -> Path:
    """Return the folder of the rules that belong to this copy of the program."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "constraints", package.parent.parent / "constraints"):
        if (folder / "rules.toml").is_file():
            return folder
    raise InputError(
        "no-rules",
        f"the rules that belong to {package} are missing",
        hint="install rdna1-lock again; the folder `constraints` is part of it",
    )
