"""The Nix files of a lock, and its wheels in the Nix store."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdna1_lock.emit.formats import folder_texts
from rdna1_lock.emit.nix import NIX_FILES
from rdna1_lock.emit.ownership import not_ours
from rdna1_lock.errors import InputError
from rdna1_lock.install.interpreter import run_bounded
from rdna1_lock.lock.files import write_files
from rdna1_lock.lock.place import lock_file
from rdna1_lock.tasks.opening import open_for

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rdna1_lock.install.nix_store import Stored
    from rdna1_lock.tasks.context import Context


# git on a folder that somebody shared: a FIFO in it would be waited for.
TIMEOUT = 30


@dataclass(frozen=True, kw_only=True)
class NixRequest:
    """Which lock; with ``add_wheels`` the wheels found in ``places`` go into the store."""

    lock: Path
    add_wheels: bool = False
    places: tuple[Path, ...] = ()


@dataclass(frozen=True, kw_only=True)
class NixResult:
    """The folder, the files that changed, those that git does not track, and the store paths."""

    folder: Path
    packages: int
    changed: tuple[Path, ...]
    untracked: tuple[str, ...]
    stored: Stored | None


def write_nix(request: NixRequest, context: Context) -> NixResult:
    """Write the Nix files next to a lock, and add its wheels to the store.

    Raises:
        InputError: the lock cannot be read or is not named ``pylock.toml``; there is no Nix; the
            folder cannot be written, or files in it are not ours.

    """
    lock, wheels = open_for(request.lock, context)
    file = lock_file(request.lock)
    if file.name != "pylock.toml":
        raise InputError(
            "not-pylock",
            f"the Nix files read the `pylock.toml` in their folder, and this is {file.name}",
            hint=f"rename it, or copy it into a folder of its own as pylock.toml: {file}",
        )
    texts = folder_texts(lock)
    changed = write_files(file.parent, {name: texts[name] for name in NIX_FILES}, foreign=not_ours)
    stored = None
    if request.add_wheels:
        from rdna1_lock.install.nix_store import add_wheels

        stored = add_wheels(
            lock,
            request.places or (wheels,),
            tell=lambda name: context.listener.say(f"  {name}"),
        )
    return NixResult(
        folder=file.parent,
        packages=len(lock.packages),
        changed=tuple(changed),
        untracked=_untracked(file.parent, list(texts), context.environ),
        stored=stored,
    )


def _untracked(folder: Path, names: list[str], environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the files of a lock that git does not track; none outside a work tree."""
    program = shutil.which("git")
    if program is None:
        return ()
    there = [name for name in names if (folder / name).exists()]
    status, output = run_bounded(
        # Settings of a repository can name a program to run.
        [
            program,
            "-C",
            str(folder),
            "-c",
            "core.fsmonitor=false",
            "ls-files",
            "--others",
            "-z",
            "--",
            *there,
        ],
        env=dict(environ),
        timeout=TIMEOUT,
    )
    if status:
        return ()
    return tuple(str(folder / os.fsdecode(name)) for name in output.split(b"\0") if name)
