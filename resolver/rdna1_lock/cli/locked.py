"""What stands where the lock will be written: its pins, and whether it still holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rdna1_lock.emit import EMITTERS
from rdna1_lock.errors import InputError
from rdna1_lock.lock.read import preferences, read_lock
from rdna1_lock.resolution.inputs import UserInput, read_file
from rdna1_lock.resolution.model import Preference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rdna1_lock.lock.model import Inputs, Lock


@dataclass(frozen=True, kw_only=True)
class Existing:
    """The lock folder or file as it is now; ``path`` is the folder, or the one file."""

    path: Path
    one_file: bool
    lock: Lock | None = None
    preferences: Mapping[str, Preference] = field(default_factory=dict)

    @property
    def portable(self) -> bool:
        """Whether the lock names files by hash alone; a new lock does not unless told."""
        return self.lock is not None and self.lock.inputs.portable


def load_existing(path: Path | None, *, one_file: bool) -> Existing:
    """Read what is there.

    Raises:
        InputError: when it is no lock of ours, so that nothing is overwritten unread.

    """
    if path is None:
        return Existing(path=Path("-"), one_file=True)
    file = path if one_file else path / "pylock.toml"
    if not one_file and path.exists() and not path.is_dir():
        raise InputError("not-a-folder", f"{path} is a file, not a lock folder")
    if not file.exists() or (file.is_file() and file.stat().st_size == 0):
        return Existing(path=path, one_file=one_file)
    if file.suffix == ".txt":
        return Existing(path=path, one_file=True, preferences=_pins_of(file))
    lock = read_lock(file)
    return Existing(path=path, one_file=one_file, lock=lock, preferences=preferences(lock))


def _pins_of(file: Path) -> dict[str, Preference]:
    """Return the exact pins of a requirements.txt, as far as it can be read."""
    user = UserInput()
    read_file(file, user)
    found = {}
    for item in user.requirements:
        for part in item.parsed.specifier:
            if part.operator == "==":
                found[item.parsed.name] = Preference(version=part.version, filename="", sha256="")
    return found


def up_to_date(existing: Existing, inputs: Inputs) -> bool:
    """Say whether the lock was made from these inputs and is as it was written.

    Pins are kept while they fit, so nothing on an index could change such a lock.
    """
    lock = existing.lock
    if lock is None or lock.edited or lock.inputs != inputs:
        return False
    folder = existing.path.parent if existing.one_file else existing.path
    names = [existing.path.name] if existing.one_file else list(EMITTERS)
    for name in names:
        emit = EMITTERS["pylock.toml" if name.endswith(".toml") else name]
        try:
            if (folder / name).read_bytes() != emit(lock).encode():
                return False
        except OSError:
            return False
    return True


def differences(existing: Existing, lock: Lock) -> list[str]:
    """Return what a new lock changes, a line a package."""
    old: dict[str, str] = (
        {}
        if existing.lock is None
        else {str(p.name): str(p.version) for p in existing.lock.packages}
    )
    if not old:
        old = {name: pin.version for name, pin in existing.preferences.items()}
    new = {str(package.name): str(package.version) for package in lock.packages}
    lines = [f"- {name} {old[name]}" for name in sorted(old.keys() - new.keys())]
    for name in sorted(new):
        if name not in old:
            lines.append(f"+ {name} {new[name]}")
        elif old[name] != new[name]:
            lines.append(f"~ {name} {old[name]} -> {new[name]}")
    return lines
