"""The lock that stands where a new one will be written: its pins, and whether it still holds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rdna1_lock.emit.formats import folder_texts, format_of
from rdna1_lock.errors import InputError
from rdna1_lock.lock.build import facts_of
from rdna1_lock.lock.read import preferences, read_lock
from rdna1_lock.model import Preference
from rdna1_lock.resolution.inputs import UserInput, read_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rdna1_lock.lock.model import Inputs, Lock
    from rdna1_lock.rules import RuleSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a new lock does to one package; None where there is no such version."""

    name: str
    old: str | None
    new: str | None


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

    def texts(self, lock: Lock) -> dict[Path, str]:
        """Return the text of every file that ``lock`` would have there."""
        if self.path is None:
            return {}
        if self.one_file:
            return {self.path: format_of(self.path.name).emit(lock)}
        return {self.path / name: text for name, text in folder_texts(lock).items()}


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


def up_to_date(existing: Existing, inputs: Inputs, rules: RuleSet) -> bool:
    """Say whether the lock was made from these inputs and its files are as they were written.

    Pins are kept while they fit, so nothing on an index could change such a lock. What is known of
    its own packages could, and is compared; what is known of others is not even read.
    """
    lock = existing.lock
    if lock is None or lock.edited or replace(lock.inputs, facts=None) != inputs:
        return False
    if facts_of((str(package.name) for package in lock.packages), rules) != lock.inputs.facts:
        return False
    return not any(is_stale(path, text) for path, text in existing.texts(lock).items())


def is_stale(path: Path, text: str) -> bool:
    """Say whether a file is missing or holds another text."""
    try:
        return path.read_bytes() != text.encode()
    except OSError:
        return True


def changes(existing: Existing, lock: Lock) -> tuple[Change, ...]:
    """Return the packages that a new lock adds, removes or moves, by name; removals first."""
    if existing.lock is not None:
        old = {str(p.name): str(p.version) for p in existing.lock.packages}
    else:
        old = {name: pin.version for name, pin in existing.preferences.items()}
    new = {str(package.name): str(package.version) for package in lock.packages}
    gone = sorted(old.keys() - new.keys())
    return tuple(
        Change(name=name, old=old.get(name), new=new.get(name))
        for name in [*gone, *sorted(new)]
        if old.get(name) != new.get(name)
    )
