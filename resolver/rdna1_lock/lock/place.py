"""Where a lock is, from what the user names: its folder or its file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdna1_lock.errors import InputError
from rdna1_lock.lock.model import WHEELS_FOLDER, Lock
from rdna1_lock.lock.read import read_lock

if TYPE_CHECKING:
    from pathlib import Path


def lock_file(path: Path) -> Path:
    """Return the file of a lock that is named by its folder or file."""
    return path / "pylock.toml" if path.is_dir() else path


def open_lock(path: Path) -> tuple[Lock, Path]:
    """Return a lock and the folder of its wheels.

    Raises:
        InputError: unreadable, or edited by hand: its digest is not that of its packages.

    """
    file = lock_file(path)
    lock = read_lock(file)
    if lock.edited:
        raise InputError(
            "edited-lock",
            f"{file} was edited: its packages are not those that its digest was made of",
            hint="restore it, or make it again with `rdna1-lock resolve`",
        )
    return lock, file.parent / WHEELS_FOLDER
