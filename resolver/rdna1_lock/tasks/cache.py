"""What the cache holds, and clearing it."""

from __future__ import annotations

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
    made = list(environments.iterdir()) if environments.exists() else []
    kinds[ENVIRONMENTS] = Held(
        entries=len(made), bytes=_held(path for one in made for path in one.rglob("*")).bytes
    )
    for place in (folder, environments) if clear else ():
        _remove(place)
    return CacheResult(folder=folder, cleared=clear, kinds=kinds)


def _held(paths: Iterable[Path]) -> Held:
    files = [path for path in paths if path.is_file() and not path.is_symlink()]
    return Held(entries=len(files), bytes=sum(path.stat().st_size for path in files))


def _remove(place: Path) -> None:
    if not place.exists():
        return
    try:
        shutil.rmtree(place)
    except OSError as error:
        raise InputError("cannot-write", f"{place} cannot be cleared: {error.strerror}") from error
