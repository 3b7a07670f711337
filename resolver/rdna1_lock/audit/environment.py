"""An environment as a subject: asked of its own interpreter, from outside, without importing torch."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from rdna1_lock.audit.elf import look_at_torch
from rdna1_lock.audit.subject import FAMILY, Package, Subject, read_version
from rdna1_lock.errors import InputError
from rdna1_lock.install import probe

if TYPE_CHECKING:
    from collections.abc import Iterable

TIMEOUT = 60
# Files of these are held against RECORD by size at every audit; of all, and by hash, if asked.
WATCHED = {*FAMILY, "numpy", "pillow"}
ACTIVATION = re.compile(r"^export ([A-Z][A-Z0-9_]*)=(?:'([^']*)'|(\S+))$", re.MULTILINE)


def default_target() -> str:
    """Return the active environment: virtualenv, conda, else the Python on PATH.

    Raises:
        InputError: there is none.

    """
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if os.environ.get(name):
            return os.environ[name]
    for program in ("python3", "python"):
        found = shutil.which(program)
        if found:
            return found
    raise InputError(
        "no-environment", "no environment is active, and there is no python3 on PATH",
        hint="name an interpreter, an environment's folder or a lock file",
    )  # fmt: skip


def find_interpreter_in(prefix: Path) -> Path | None:
    """Return the interpreter of an environment's folder."""
    for name in ("python", "python3"):
        if os.access(prefix / "bin" / name, os.X_OK):
            return prefix / "bin" / name
    return None


def look_at_environment(target: Path, *, files: bool) -> Subject:
    """Return the environment of an interpreter or prefix; ``files`` compares every file by hash.

    Raises:
        InputError: it is neither, and nothing is installed there.

    """
    interpreter = find_interpreter_in(target) if target.is_dir() else target
    data, trouble = _ask(interpreter) if interpreter is not None else (None, "has no interpreter")
    notes = []
    if data is None:
        prefix = target if target.is_dir() else target.absolute().parent.parent
        data = _without_interpreter(prefix)
        if data is None:
            raise InputError(
                "not-an-environment",
                f"{target} {trouble}, and no packages lie beside it",
                hint="name a Python interpreter, an environment's folder, or a lock file",
            )
        notes.append(f"{interpreter or target} {trouble}: read from the files beside it")
    packages = tuple(_package(item) for item in data["distributions"])
    torch = next((p for p in packages if p.name == "torch"), None)
    place = (
        Path(torch.place) if torch is not None and torch.place else Path(data["paths"]["purelib"])
    )
    return Subject(
        kind="environment",
        label=str(target),
        packages=packages,
        python=read_version(data["version"]),
        libc=data["libc"],
        variables=data["variables"],
        activation=_activation(Path(data["prefix"]) / "bin" / "activate"),
        torch_files=look_at_torch(place),
        changed=_changed(packages, everything=files),
        notes=tuple(notes),
        interpreter=str(interpreter) if interpreter is not None else None,
    )


def _ask(interpreter: Path) -> tuple[dict[str, Any] | None, str]:
    """Run the probe; the second value says what went wrong."""
    try:
        done = subprocess.run(
            [str(interpreter), "-B", probe.__file__],
            capture_output=True,
            check=False,
            timeout=TIMEOUT,
            stdin=subprocess.DEVNULL,
        )
        data: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return None, f"did not answer within {TIMEOUT} s"
    except OSError as error:
        return None, f"does not run ({error.strerror})"
    except ValueError:
        return None, "does not run"
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


def _changed(
    packages: Iterable[Package], *, everything: bool
) -> dict[str, tuple[tuple[str, str], ...]]:
    found = {}
    for package in packages:
        if package.path is None or package.place is None or not package.path.endswith("dist-info"):
            continue
        if not everything and package.name not in WATCHED:
            continue
        files = probe.changed_files(package.path, package.place, everything)
        if files:
            found[str(package.name)] = tuple(sorted(files))
    return found


def _activation(script: Path) -> dict[str, str]:
    """Return the variables that activation exports beside Python's own."""
    try:
        text = script.read_text("utf-8", "replace")
    except OSError:
        return {}
    return {
        name: plain or quoted
        for name, quoted, plain in ACTIVATION.findall(text)
        if name not in {"PATH", "VIRTUAL_ENV", "PS1", "VIRTUAL_ENV_PROMPT", "PYTHONHOME"}
    }
