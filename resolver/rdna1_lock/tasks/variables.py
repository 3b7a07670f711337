"""The environment variables of a lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdna1_lock.tasks.opening import open_for

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rdna1_lock.tasks.context import Context


def variables(lock: Path, context: Context) -> Mapping[str, str]:
    """Return the variables that a lock (its folder or file) needs, by name.

    Raises:
        InputError: the lock cannot be read, or was edited.

    """
    opened, _ = open_for(lock, context)
    return opened.env
