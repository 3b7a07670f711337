"""The environment variables of a lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdna1_lock.lock.place import open_lock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def variables(lock: Path) -> Mapping[str, str]:
    """Return the variables that a lock (its folder or file) needs, by name.

    Raises:
        InputError: the lock cannot be read, or was edited.

    """
    opened, _ = open_lock(lock)
    return opened.env
