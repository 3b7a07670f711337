"""Open a virtual environment, or make it with ``venv``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rdna1_lock.errors import InputError
from rdna1_lock.install.interpreter import clean_environment, find_interpreter, probe, run_bounded
from rdna1_lock.lock.files import hold_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rdna1_lock.install.interpreter import Interpreter

# Lies in an environment while `venv` makes it. A run that finds it makes the environment again.
UNFINISHED = ".rdna1-lock-unfinished"
MAKING = 300


def open_environment(
    folder: Path,
    series: str,
    named: str | None,
    *,
    make: bool,
    waiting: Callable[[int], None] | None = None,
) -> tuple[Interpreter, bool]:
    """Return the interpreter of a virtual environment; with ``make`` a new one if it does not exist.

    The second value says whether it was made. A second run that makes the same one waits.

    Raises:
        InputError: the folder holds something else, an environment of another Python, or cannot
            be written.

    """
    try:
        return _open(folder, series, named, make=make, waiting=waiting)
    except OSError as error:
        raise InputError(
            "not-an-environment",
            f"{error.filename or folder}: {error.strerror or error}",
            hint="check its permissions, or name another folder with --venv",
        ) from error


def _open(
    folder: Path,
    series: str,
    named: str | None,
    *,
    make: bool,
    waiting: Callable[[int], None] | None,
) -> tuple[Interpreter, bool]:
    if folder.is_symlink() and not folder.exists():
        raise InputError("not-an-environment", f"{folder} is a symbolic link that leads nowhere")
    if folder.exists() and not folder.is_dir():
        raise InputError("not-an-environment", f"{folder} is a file")
    made = False
    if _unmade(folder):
        if not make:
            raise InputError("not-an-environment", f"there is no environment in {folder}")
        made = _make(folder, find_interpreter(series, named), waiting)
    elif not (folder / "pyvenv.cfg").is_file():
        raise InputError(
            "not-an-environment",
            f"{folder} is not a virtual environment, and not empty",
            hint="name another folder with --venv; nothing was changed",
        )
    return _checked(folder, series), made


def _unmade(folder: Path) -> bool:
    """Say whether there is nothing yet, or only what an interrupted run made."""
    if not folder.exists():
        return True
    return not any(folder.iterdir()) or (folder / UNFINISHED).is_file()


def _make(folder: Path, base: Interpreter, waiting: Callable[[int], None] | None) -> bool:
    folder.mkdir(parents=True, exist_ok=True)
    with hold_folder(folder, waiting=waiting) as handle:
        if not _unmade(folder):  # the run that we waited for has made it
            return False
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        place = folder.resolve() if folder.is_symlink() else folder.absolute()
        os.close(os.open(folder / UNFINISHED, flags, 0o666))
        # `venv` refuses a symbolic link. Isolated (-I): nothing in the working folder is imported. It inherits the hold, so that a
        # later run waits for it even where this one is killed.
        status, output = run_bounded(
            [str(base.executable), "-I", "-m", "venv", "--without-pip", str(place)],
            env=clean_environment(),
            timeout=MAKING,
            errors=True,
            hold=handle,
        )
        if status != 0:
            raise InputError(
                "no-venv",
                f"{base.executable} cannot make a virtual environment in {folder}",
                facts=tuple(output.decode(errors="replace").strip().splitlines()[-3:]),
                hint="check free space and permissions; on Debian and Ubuntu install python3-venv",
            )
        (folder / UNFINISHED).unlink()
    return True


def _checked(folder: Path, series: str) -> Interpreter:
    found = probe(folder / "bin" / "python")
    if found is None or not found.venv:
        raise InputError(
            "broken-environment",
            f"the interpreter of {folder} does not run",
            hint="delete the folder and run again",
        )
    prefix = os.path.realpath(folder)
    places = [found.prefix, *(found.paths[key] for key in ("purelib", "platlib", "scripts"))]
    for place in map(os.path.realpath, places):
        if place != prefix and not place.startswith(f"{prefix}/"):
            raise InputError(
                "broken-environment",
                f"the interpreter of {folder} installs into {place}",
                hint="delete the folder and run again, or name the environment itself with --venv",
            )
    if found.series != series:
        raise InputError(
            "other-python",
            f"{folder} is an environment of Python {found.version}; the lock is for {series}",
            hint="name another folder with --venv, or delete this one",
        )
    return found
