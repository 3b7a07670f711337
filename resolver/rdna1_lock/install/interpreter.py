"""Interpreters: found on PATH or named, asked what they are, made into environments."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdna1_lock.errors import InputError, UsageError
from rdna1_lock.install import probe as asking

TIMEOUT = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """What an interpreter says of itself and of what is installed beside it."""

    executable: Path
    version: str
    implementation: str
    machine: str
    venv: bool
    paths: dict[str, str]
    distributions: tuple[tuple[str, str, str], ...]

    @property
    def series(self) -> str:
        """Major and minor version, for example ``3.10``."""
        return ".".join(self.version.split(".")[:2])

    def fits(self, series: str) -> bool:
        """Say whether wheels for CPython ``series`` on x86-64 run here."""
        right = self.implementation == "CPython" and self.machine == "x86_64"
        return right and self.series == series


def clean_environment() -> dict[str, str]:
    """Return our environment without what redirects Python or pip."""
    return {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PYTHON", "PIP_", "UV_", "VIRTUAL_ENV"))
    }


def probe(executable: Path | str) -> Interpreter | None:
    """Ask an interpreter what it is; None where it does not run."""
    try:
        result = subprocess.run(
            [str(executable), "-I", "-B", asking.__file__],
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
            env=clean_environment(),
        )
        data: dict[str, Any] = json.loads(result.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    own = {os.path.realpath(data["paths"][key]) for key in ("purelib", "platlib")}
    return Interpreter(
        executable=Path(shutil.which(str(executable)) or executable),
        version=data["version"],
        implementation=data["implementation"],
        machine=data["machine"],
        venv=data["prefix"] != data["base_prefix"],
        paths=data["paths"],
        distributions=tuple(
            (item["name"], item["version"] or "", item["path"])
            for item in data["distributions"]
            if item["place"] in own
        ),
    )


def find_interpreter(series: str, named: str | None) -> Interpreter:
    """Return an interpreter of a Python series.

    Raises:
        UsageError: when there is none, or the named one is another.

    """
    hint = f"install CPython {series} (`uv python install {series}`, pyenv, your system) and name it with --python"
    for candidate in [named] if named else [f"python{series}", "python3", "python"]:
        found = probe(str(candidate))
        if found is not None and found.fits(series):
            return found
        if named:
            what = (
                f"is {found.implementation} {found.version} on {found.machine}"
                if found
                else "does not run"
            )
            raise UsageError(
                "wrong-python", f"{named} {what}; the lock is for CPython {series}", hint=hint
            )
    raise UsageError("no-python", f"there is no CPython {series} on PATH", hint=hint)


def open_environment(
    folder: Path, series: str, named: str | None, *, make: bool
) -> tuple[Interpreter, bool]:
    """Return the interpreter of a virtual environment; with ``make`` a new one if it is not there.

    Raises:
        InputError: the folder holds something else, or an environment of another Python.

    """
    python = folder / "bin" / "python"
    made = False
    if folder.exists() and not folder.is_dir():
        raise InputError("not-an-environment", f"{folder} is a file")
    if not folder.exists() or not any(folder.iterdir()):
        if not make:
            raise InputError("not-an-environment", f"there is no environment in {folder}")
        base = find_interpreter(series, named)
        result = subprocess.run(
            [str(base.executable), "-I", "-m", "venv", "--without-pip", str(folder)],
            capture_output=True,
            text=True,
            check=False,
            env=clean_environment(),
        )
        if result.returncode != 0:
            raise InputError(
                "no-venv",
                f"{base.executable} cannot make a virtual environment in {folder}",
                facts=tuple((result.stdout + result.stderr).strip().splitlines()[-3:]),
                hint="on Debian and Ubuntu the package python3-venv is needed",
            )
        made = True
    elif not (folder / "pyvenv.cfg").is_file():
        raise InputError(
            "not-an-environment",
            f"{folder} is not a virtual environment, and not empty",
            hint="name another folder with --venv; nothing was changed",
        )
    found = probe(python)
    if found is None or not found.venv:
        raise InputError(
            "broken-environment",
            f"the interpreter of {folder} does not run",
            hint="delete the folder and run again",
        )
    if found.series != series:
        raise InputError(
            "other-python",
            f"{folder} is an environment of Python {found.version}; the lock is for {series}",
            hint="name another folder with --venv, or delete this one",
        )
    return found, made
