"""Open the lock that a task works on, and say where it should be renewed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdna1_lock.lock.model import SCHEMA
from rdna1_lock.lock.place import lock_file, open_lock

if TYPE_CHECKING:
    from pathlib import Path

    from rdna1_lock.lock.model import Lock
    from rdna1_lock.tasks.context import Context


def open_for(path: Path, context: Context) -> tuple[Lock, Path]:
    """Return a lock and the folder of its wheels; an old schema is noted to the listener.

    Raises:
        InputError: the lock cannot be read, or was edited.

    """
    lock, wheels = open_lock(path)
    if lock.schema < SCHEMA:
        context.listener.note(
            f"{lock_file(path)} has schema {lock.schema}, whose digest covers the packages alone;"
            " `rdna1-lock resolve` renews it and keeps its pins"
        )
    return lock, wheels
