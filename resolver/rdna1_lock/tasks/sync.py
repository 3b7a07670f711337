"""A virtual environment that is exactly a lock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rdna1_lock.tasks.fetch import fetch_into
from rdna1_lock.tasks.opening import open_for

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rdna1_lock.tasks.context import Context


@dataclass(frozen=True, kw_only=True)
class SyncRequest:
    """Which lock, and which environment; ``check`` changes nothing but fetches what is missing."""

    lock: Path
    venv: Path
    python: str | None = None
    wheels: Path | None = None
    index_url: str | None = None
    find_links: tuple[Path, ...] = ()
    set_env: bool = True
    check: bool = False


@dataclass(frozen=True, kw_only=True)
class SyncResult:
    """What was done to the environment; ``env`` are the variables that activation sets."""

    packages: int
    made: bool = False
    installed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    activation: tuple[Path, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


def sync(request: SyncRequest, context: Context) -> SyncResult:
    """Make or update an environment, and compare every file with the lock.

    Raises:
        IntegrityError: the environment is not the lock (with ``check``, or in spite of all).
        UsageError, InputError: no fitting Python, or a folder that holds something else.
        NetworkError: a wheel cannot be fetched.

    """
    from rdna1_lock.install.interpreter import open_environment
    from rdna1_lock.install.sync import not_the_lock
    from rdna1_lock.install.sync import sync as install
    from rdna1_lock.install.verify import compare

    lock, beside = open_for(request.lock, context)
    folder = request.wheels or beside
    series = lock.inputs.target.python_series
    # The interpreter first: a gigabyte is not fetched in vain.
    environment, made = open_environment(
        request.venv, series, request.python, make=not request.check
    )
    fetch_into(
        lock, folder, index_url=request.index_url, find_links=request.find_links, context=context
    )
    if request.check:
        left = compare(lock, folder, environment)
        if left:
            raise not_the_lock(left, str(request.venv))
        return SyncResult(packages=len(lock.packages))
    context.check()
    done = install(lock, folder, environment, set_env=request.set_env)
    return SyncResult(
        packages=len(lock.packages),
        made=made,
        installed=done.installed,
        removed=done.removed,
        activation=done.activation,
        env=dict(lock.env),
    )
