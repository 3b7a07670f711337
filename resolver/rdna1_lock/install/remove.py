"""Remove a package by its RECORD, and nothing outside the environment."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from rdna1_lock.install.place import Folders, walk
from rdna1_lock.install.record import compiled_from, recorded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rdna1_lock.install.plan import Layout


def remove_package(folder: Path, layout: Layout, *, keep: set[str]) -> None:
    """Remove what the RECORD of an installed package names, except what others need (``keep``).

    RECORD goes last, so that a run that is killed can be continued. What it names outside the
    environment, or behind a symbolic link, stays.

    Raises:
        OSError: a file cannot be removed.

    """
    folders = Folders([layout.prefix, *layout.sites, *layout.schemes.values()])
    paths = {path for path in recorded(folder) or set() if _within(path, layout)}
    # A folder of metadata, our own and those of others, goes with its own package.
    goes = {p for p in paths - keep if not layout.owned(p) and not _metadata(p, layout)}
    for path in sorted(goes | _compiled(goes, layout.tag)):
        if folders.real(os.path.dirname(path)):
            # A RECORD may name folders and what is not there.
            with contextlib.suppress(FileNotFoundError, IsADirectoryError):
                os.unlink(path)
    _prune(goes, layout)
    metadata = sorted(walk(str(folder)), key=lambda path: path == f"{folder}/RECORD")
    for path in metadata:
        Path(path).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def remove_path(path: str) -> None:
    """Remove a file, a symbolic link itself, or a folder with all in it.

    Raises:
        OSError: it cannot be removed.

    """
    name = path.rstrip("/")
    if os.path.isdir(name) and not os.path.islink(name):
        shutil.rmtree(name)
    else:
        Path(name).unlink(missing_ok=True)


def _within(path: str, layout: Layout) -> bool:
    return any(path.startswith(f"{root}/") for root in (layout.prefix, *layout.sites))


def _metadata(path: str, layout: Layout) -> bool:
    return any(
        path.startswith(f"{site}/")
        and path[len(site) + 1 :].partition("/")[0].endswith(".dist-info")
        for site in layout.sites
    )


def _compiled(paths: Iterable[str], tag: str) -> set[str]:
    """Return the compiled files of sources that go."""
    sources = {path for path in paths if path.endswith(".py")}
    found = set()
    for folder in {path.rpartition("/")[0] for path in sources}:
        with contextlib.suppress(OSError):
            for entry in os.scandir(f"{folder}/__pycache__"):
                if compiled_from(entry.path, tag) in sources:
                    found.add(entry.path)
    return found


def _prune(paths: Iterable[str], layout: Layout) -> None:
    """Remove the folders that are empty now, from the inside out."""
    roots = {layout.prefix, *layout.schemes.values()}
    inner = {path.rpartition("/")[0] for path in paths}
    for place in sorted(inner | {f"{one}/__pycache__" for one in inner}, key=len, reverse=True):
        parent = place
        with contextlib.suppress(OSError):
            while parent not in roots and _within(parent, layout):
                os.rmdir(parent)
                parent = parent.rpartition("/")[0]
