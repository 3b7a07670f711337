"""The environment that a sweep runs in: made from the lock, or named and compared with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rdna1_lock.errors import UsageError
from rdna1_lock.tasks.fetch import fetch_into

if TYPE_CHECKING:
    from pathlib import Path

    from rdna1_lock.install.interpreter import Interpreter
    from rdna1_lock.lock.model import Lock
    from rdna1_lock.tasks.context import Context


@dataclass(frozen=True, kw_only=True)
class EnvironmentRequest:
    """Which environment to use.

    ``python`` is the interpreter of an existing one, or one to make an environment with; ``venv``
    is where to make it, by default in the cache; ``wheels`` the folder of the locked wheels.
    """

    lock_digest: str
    wheels: Path
    python: str | None = None
    venv: Path | None = None
    index_url: str | None = None
    find_links: tuple[Path, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LockedEnvironment:
    """An interpreter, and whether its environment is the lock; ``why`` says why it may not be."""

    interpreter: Interpreter
    why: str | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """What a report says about it."""
        return {"exact": self.why is None, "why": self.why, "python": self.interpreter.version}


def provide_environment(
    lock: Lock, request: EnvironmentRequest, context: Context, *, certain: bool
) -> LockedEnvironment:
    """Make the environment, or compare the named one; with ``certain`` it must be the lock.

    Raises:
        IntegrityError: ``certain``, and it is not the lock.
        UsageError: the named interpreter does not run.
        InputError, NetworkError: the environment cannot be made, or a wheel not be fetched.

    """
    from rdna1_lock.install.interpreter import probe

    if request.python is None:
        return _make(lock, request, context)
    named = probe(request.python)
    if named is None:
        raise UsageError("wrong-python", f"{request.python} does not run")
    if request.venv is not None or _is_bare(named):
        return _make(lock, request, context)
    found = _compare(lock, request, named, context, certain=certain)
    if found.why is not None:
        context.listener.note(found.why)
    return found


def _is_bare(python: Interpreter) -> bool:
    """Say whether an interpreter is one to make an environment with: no venv, and no torch."""
    return not python.venv and not any(name == "torch" for name, _, _ in python.distributions)


def _make(lock: Lock, request: EnvironmentRequest, context: Context) -> LockedEnvironment:
    from rdna1_lock.install.environment import open_environment
    from rdna1_lock.install.sync import sync

    venv = request.venv or context.cache / "environments" / request.lock_digest[:16]
    series = lock.inputs.target.python_series
    found, _ = open_environment(venv, series, request.python, make=True)
    _fetch(lock, request, context)
    context.listener.say(f"environment: {venv}")
    context.check()
    sync(lock, request.wheels, found, set_env=True)
    return LockedEnvironment(interpreter=found)


def _compare(
    lock: Lock,
    request: EnvironmentRequest,
    named: Interpreter,
    context: Context,
    *,
    certain: bool,
) -> LockedEnvironment:
    from rdna1_lock.install.sync import not_the_lock
    from rdna1_lock.install.verify import compare
    from rdna1_lock.install.wheels import all_there

    # A rehearsal does not download a gigabyte just to compare.
    if not (certain or request.find_links or all_there(lock, request.wheels)):
        why = "the environment was not compared with the lock: its wheels are missing"
        return LockedEnvironment(interpreter=named, why=why)
    _fetch(lock, request, context)
    differ = compare(lock, request.wheels, named)
    if differ and certain:
        raise not_the_lock(differ, str(named.executable))
    if not differ:
        return LockedEnvironment(interpreter=named)
    why = f"{len(differ)} files or packages differ from the lock"
    return LockedEnvironment(interpreter=named, why=why)


def _fetch(lock: Lock, request: EnvironmentRequest, context: Context) -> None:
    fetch_into(
        lock,
        request.wheels,
        index_url=request.index_url,
        find_links=request.find_links,
        context=context,
    )
