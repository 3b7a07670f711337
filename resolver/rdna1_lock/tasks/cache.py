"""What the cache holds, and clearing it."""

from __future__ import annotations

import contextlib
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdna1_lock.errors import InputError
from rdna1_lock.index.cache import FORMAT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from rdna1_lock.tasks.context import Context

KINDS = ("page", "metadata", "sha256", "pip")
ENVIRONMENTS = "environments"
# The names that the cache gives: two digits of a hash, and sixteen of a lock's.
_ENTRIES, _ENVIRONMENT = re.compile(r"[0-9a-f]{2}"), re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """How much there is of one kind."""

    entries: int
    bytes: int


@dataclass(frozen=True, kw_only=True)
class CacheResult:
    """The folder and, by kind, what it held before it was cleared."""

    folder: Path
    cleared: bool
    kinds: Mapping[str, Held]


def cache(context: Context, *, clear: bool = False) -> CacheResult:
    """Count what the cache holds; with ``clear``, delete it. All of it can be fetched again.

    Raises:
        InputError: the folder cannot be cleared.

    """
    folder = context.cache / FORMAT
    environments = folder.parent / ENVIRONMENTS
    kinds = {kind: _held((folder / kind).rglob("*")) for kind in KINDS}
    made = _named(environments, _ENVIRONMENT)
    kinds[ENVIRONMENTS] = Held(
        entries=len(made), bytes=_held(path for one in made for path in one.rglob("*")).bytes
    )
    if clear:
        for kind in KINDS:
            _remove(folder / kind, _ENTRIES)
        _remove(environments, _ENVIRONMENT)
        _remove_empty(folder)
    return CacheResult(folder=folder, cleared=clear, kinds=kinds)


def _held(paths: Iterable[Path]) -> Held:
    files = [path for path in paths if path.is_file() and not path.is_symlink()]
    return Held(entries=len(files), bytes=sum(path.stat().st_size for path in files))


def _named(place: Path, names: re.Pattern[str]) -> list[Path]:
    """Return the folders that the cache made: ``--cache-dir`` may name a folder with others."""
    if place.is_symlink() or not place.is_dir():
        return []
    return [one for one in place.iterdir() if names.fullmatch(one.name) and not one.is_symlink()]


def _remove(place: Path, names: re.Pattern[str]) -> None:
    try:
        for one in _named(place, names):
            shutil.rmtree(one)
    except OSError as error:
        raise InputError("cannot-write", f"{place} cannot be cleared: {error.strerror}") from error
    _remove_empty(place)


def _remove_empty(place: Path) -> None:
    with contextlib.suppress(OSError):
        place.rmdir()
