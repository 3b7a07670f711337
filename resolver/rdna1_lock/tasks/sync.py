"""A virtual environment that is exactly a lock."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rdna1_lock.tasks.fetch import fetch_into, own_wheels
from rdna1_lock.tasks.opening import open_for
from rdna1_lock.tasks.size import size_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rdna1_lock.lock.model import Lock
    from rdna1_lock.tasks.context import Context


@dataclass(frozen=True, kw_only=True)
class SyncRequest:
    """Which lock, and which environment; ``check`` changes nothing but fetches what is missing.

    ``remove_extraneous`` deletes files in site-packages that belong to no package.
    """

    lock: Path
    venv: Path
    python: str | None = None
    wheels: Path | None = None
    index_url: str | None = None
    find_links: tuple[Path, ...] = ()
    set_env: bool = True
    check: bool = False
    remove_extraneous: bool = False


@dataclass(frozen=True, kw_only=True)
class SyncResult:
    """What was done to the environment; ``env`` are the variables that activation sets."""

    packages: int
    made: bool = False
    installed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    removed_files: tuple[str, ...] = ()
    activation: tuple[Path, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


def sync(request: SyncRequest, context: Context) -> SyncResult:
    """Make or update an environment, and compare every file with the lock.

    Raises:
        IntegrityError: the environment is not the lock (with ``check``, or in spite of all), or
            holds files of no package.
        UsageError, InputError: no fitting Python, a folder that holds something else or cannot be
            written, or a wheel that cannot be installed.
        NetworkError: a wheel cannot be fetched.

    """
    from rdna1_lock.install.environment import open_environment
    from rdna1_lock.install.sync import cannot_write, not_the_lock
    from rdna1_lock.install.sync import sync as install
    from rdna1_lock.install.verify import compare
    from rdna1_lock.lock.files import hold_folder

    def waiting(attempt: int) -> None:
        context.check()
        if attempt == 0:
            context.listener.note(f"waiting for another run on {request.venv}")

    lock, wheels = open_for(request.lock, context)
    folder = request.wheels or own_wheels(wheels)
    series = lock.inputs.target.python_series
    # The interpreter first: a gigabyte is not fetched in vain.
    environment, made = open_environment(
        request.venv, series, request.python, make=not request.check, waiting=waiting
    )
    if made:
        _say_size(lock, request.venv, context)
    fetch_into(
        lock, folder, index_url=request.index_url, find_links=request.find_links, context=context
    )
    context.check()
    if request.check:
        try:
            with hold_folder(request.venv, shared=True, waiting=waiting):
                left = compare(lock, folder, environment)
        except OSError as error:
            raise cannot_write(request.venv, error) from error
        if left:
            raise not_the_lock(left, str(request.venv))
        return SyncResult(packages=len(lock.packages))
    done = install(
        lock,
        folder,
        environment,
        set_env=request.set_env,
        remove_extraneous=request.remove_extraneous,
        waiting=waiting,
    )
    return SyncResult(
        packages=len(lock.packages),
        made=made,
        installed=done.installed,
        removed=done.removed,
        removed_files=done.files,
        activation=done.activation,
        env=dict(lock.env),
    )


def _say_size(lock: Lock, venv: Path, context: Context) -> None:
    """Say what a new environment takes, before anything is downloaded."""
    size = size_of(lock)
    context.listener.size(size)
    place = next((path for path in (venv, *venv.absolute().parents) if path.exists()), None)
    free = shutil.disk_usage(place).free if place is not None else None
    if free is not None and free < size.together:
        context.listener.note(
            f"{place} has {free / 1e9:.1f} GB of free space, and wheels and environment together take"
            f" at least {size.together / 1e9:.1f} GB"
        )
