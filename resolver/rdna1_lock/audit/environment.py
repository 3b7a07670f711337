"""An environment as a subject: its own interpreter is asked, from outside, without importing torch."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from rdna1_lock.audit.elf import look_at_torch
from rdna1_lock.audit.subject import Package, Subject, read_version
from rdna1_lock.errors import InputError
from rdna1_lock.install import probe
from rdna1_lock.install.activation import LARGEST
from rdna1_lock.install.interpreter import run_bounded
from rdna1_lock.regular import read_regular

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

TIMEOUT = 60
ACTIVATION = re.compile(r"^export ([A-Z][A-Z0-9_]*)=(?:'([^']*)'|(\S+))$", re.MULTILINE)
OWN_VARIABLES = {"PATH", "VIRTUAL_ENV", "PS1", "VIRTUAL_ENV_PROMPT", "PYTHONHOME"}


@dataclass(frozen=True, kw_only=True)
class Look:
    """How an environment is looked at.

    ``environ`` is what its interpreter is started with. Files of ``watched`` are compared with
    RECORD by size; with ``files``, those of every package by hash. ``libraries`` of torch are
    those that may ask for an executable stack.
    """

    environ: Mapping[str, str]
    watched: Collection[str]
    libraries: Collection[str]
    files: bool = False


def default_target(environ: Mapping[str, str]) -> str:
    """Return the active environment: virtualenv, conda, else the Python on PATH.

    Raises:
        InputError: there is none.

    """
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if environ.get(name):
            return environ[name]
    for program in ("python3", "python"):
        found = shutil.which(program, path=environ.get("PATH"))
        if found:
            return found
    raise InputError(
        "no-environment", "no environment is active, and python3 is not on PATH",
        hint="name an interpreter, an environment's folder or a lock file",
    )  # fmt: skip


def find_interpreter_in(prefix: Path) -> Path | None:
    """Return the interpreter of an environment's folder."""
    for name in ("python", "python3"):
        if os.access(prefix / "bin" / name, os.X_OK):
            return prefix / "bin" / name
    return None


def look_at_environment(target: Path, look: Look) -> Subject:
    """Return the environment of an interpreter or prefix.

    Raises:
        InputError: it is neither, and nothing is installed there.

    """
    interpreter = find_interpreter_in(target) if target.is_dir() else target
    data, note = _facts(target, interpreter, look.environ)
    packages = tuple(_package(item) for item in data["distributions"])
    return Subject(
        kind="environment",
        label=str(target),
        packages=packages,
        python=read_version(data["version"]),
        libc=data["libc"],
        variables=data["variables"],
        activation=_activation(Path(data["prefix"]) / "bin" / "activate"),
        torch_files=look_at_torch(_site_of_torch(packages, data), look.libraries),
        changed=_changed(packages, look),
        notes=(note,) if note is not None else (),
        interpreter=str(interpreter) if interpreter is not None else None,
    )


def _facts(
    target: Path, interpreter: Path | None, environ: Mapping[str, str]
) -> tuple[dict[str, Any], str | None]:
    """Return what the interpreter says, or what its files say with a note on why."""
    data, trouble = None, "has no interpreter"
    if interpreter is not None:
        data, trouble = _ask(interpreter, environ)
    if data is not None:
        return data, None
    prefix = target if target.is_dir() else target.absolute().parent.parent
    data = _without_interpreter(prefix)
    if data is None:
        raise InputError(
            "not-an-environment",
            f"{target} {trouble}, and there are no packages next to it",
            hint="name a Python interpreter, an environment's folder, or a lock file",
        )
    return data, f"{interpreter or target} {trouble}: read from the files next to it"


def _site_of_torch(packages: Iterable[Package], data: Mapping[str, Any]) -> Path:
    """Return the folder of the torch that Python finds; where torch belongs if there is none."""
    torch = next((package for package in packages if package.name == "torch"), None)
    return Path((torch.place if torch is not None else None) or data["paths"]["purelib"])


def _ask(interpreter: Path, environ: Mapping[str, str]) -> tuple[dict[str, Any] | None, str]:
    """Run the probe; the second value says what went wrong."""
    status = 0
    try:
        status, output = run_bounded(
            [str(interpreter), "-B", probe.__file__], env=dict(environ), timeout=TIMEOUT
        )
        data: dict[str, Any] = json.loads(output)
    except OSError as error:
        return None, f"does not run ({error.strerror})"
    except (ValueError, RecursionError):
        return None, (
            f"did not answer within {TIMEOUT} s" if status == -signal.SIGKILL else "does not run"
        )
    return data, ""


def _without_interpreter(prefix: Path) -> dict[str, Any] | None:
    """Read an environment whose interpreter is gone, as after an upgrade of the system's Python."""
    places = sorted(prefix.glob("lib/python3.*/site-packages"))
    if not places:
        return None
    series = places[-1].parent.name.removeprefix("python")
    return {
        "version": series,
        "libc": None,
        "prefix": str(prefix),
        "paths": {"purelib": str(places[-1])},
        "distributions": probe.distributions([str(place) for place in places]),
        "variables": {},
    }


def _package(item: dict[str, Any]) -> Package:
    direct = item["direct_url"]
    return Package(
        name=canonicalize_name(item["name"]),
        version=read_version(item["version"]),
        raw_version=item["version"],
        source=direct.get("url") if isinstance(direct, dict) else None,
        requires=tuple(item["requires"]),
        installer=item["installer"],
        path=item["path"],
        place=item["place"],
    )


def _changed(packages: Iterable[Package], look: Look) -> dict[str, tuple[tuple[str, str], ...]]:
    found = {}
    for package in packages:
        if package.path is None or package.place is None or not package.path.endswith("dist-info"):
            continue
        if not look.files and package.name not in look.watched:
            continue
        files = probe.changed_files(package.path, package.place, look.files)
        if files:
            found[str(package.name)] = tuple(sorted(files))
    return found


def _activation(script: Path) -> dict[str, str]:
    """Return the variables that activation exports, without venv's own."""
    try:
        text = read_regular(script, LARGEST).decode("utf-8", "replace")
    except OSError:
        return {}
    return {
        name: plain or quoted
        for name, quoted, plain in ACTIVATION.findall(text)
        if name not in OWN_VARIABLES
    }
