"""The lock that stands where a new one will be written: its pins, and whether it still holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rdna1_lock.emit.formats import FORMATS, format_of
from rdna1_lock.errors import InputError
from rdna1_lock.lock.read import preferences, read_lock
from rdna1_lock.model import Preference
from rdna1_lock.resolution.inputs import UserInput, read_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from rdna1_lock.lock.model import Lock


@dataclass(frozen=True, kw_only=True)
class Existing:
    """A lock folder, or one file, as it is now; ``path`` is None for standard output."""

    path: Path | None
    one_file: bool
    lock: Lock | None = None
    preferences: Mapping[str, Preference] = field(default_factory=dict)

    @property
    def portable(self) -> bool:
        """Whether the lock names files by hash alone; a new lock does so only on request."""
        return self.lock is not None and self.lock.inputs.portable

    @property
    def emitters(self) -> dict[Path, Callable[[Lock], str]]:
        """What writes each file that a lock has there."""
        if self.path is None:
            return {}
        if self.one_file:
            return {self.path: format_of(self.path.name).emit}
        return {self.path / one.filename: one.emit for one in FORMATS}


def load_existing(path: Path | None, *, one_file: bool) -> Existing:
    """Read the lock that is there.

    Raises:
        InputError: rdna1-lock did not make it, so that nothing is overwritten unread.

    """
    if path is None:
        return Existing(path=None, one_file=True)
    file = path if one_file else path / "pylock.toml"
    if not one_file and path.exists() and not path.is_dir():
        raise InputError("not-a-folder", f"{path} is a file, not a lock folder")
    if not file.exists() or (file.is_file() and file.stat().st_size == 0):
        return Existing(path=path, one_file=one_file)
    if one_file and format_of(file.name).filename == "requirements.txt":
        return Existing(path=path, one_file=True, preferences=_pins_of(file))
    lock = read_lock(file)
    return Existing(path=path, one_file=one_file, lock=lock, preferences=preferences(lock))


def _pins_of(file: Path) -> dict[str, Preference]:
    """Return the exact pins of a requirements.txt, as far as it can be read."""
    user = UserInput()
    # Pins of a file that rdna1-lock wrote: nothing in it refers to the environment.
    read_file(file, user, environ={})
    return {
        item.parsed.name: Preference(version=part.version, filename="", sha256="")
        for item in user.requirements
        for part in item.parsed.specifier
        if part.operator == "=="
    }
