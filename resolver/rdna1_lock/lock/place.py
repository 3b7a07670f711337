"""Where a lock is, from what the user names: its folder or its file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdna1_lock.errors import InputError
from rdna1_lock.lock.forms import WHEELS_FOLDER
from rdna1_lock.lock.read import read_lock

if TYPE_CHECKING:
    from pathlib import Path

    from rdna1_lock.lock.model import Lock


def lock_file(path: Path) -> Path:
    """Return the file of a lock that is named by its folder or file."""
    return path / "pylock.toml" if path.is_dir() else path


def open_lock(path: Path) -> tuple[Lock, Path]:
    """Return a lock and the folder of its wheels.

    Raises:
        InputError: unreadable, or edited by hand: parts of it are not those of their digests.

    """
    file = lock_file(path)
    lock = read_lock(file)
    if lock.edited:
        raise InputError(
            "edited-lock",
            f"{file} was edited",
            facts=tuple(f"`{part}` does not match its digest" for part in lock.edited),
            hint="restore the file, or run `rdna1-lock resolve` to lock again",
        )
    return lock, file.parent / WHEELS_FOLDER
