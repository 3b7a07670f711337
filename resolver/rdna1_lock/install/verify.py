"""Hold an environment against a lock, file by file, with the locked wheels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdna1_lock.install.survey import Difference, survey

if TYPE_CHECKING:
    from pathlib import Path

    from rdna1_lock.install.interpreter import Interpreter
    from rdna1_lock.lock.model import Lock

__all__ = ["Difference", "compare"]


def compare(lock: Lock, wheels: Path, environment: Interpreter) -> list[Difference]:
    """Return every difference between an environment and a lock.

    ``wheels`` holds the locked wheels, verified by hash.

    Raises:
        InputError: a locked wheel cannot be read.

    """
    return survey(lock, wheels, environment).differences
