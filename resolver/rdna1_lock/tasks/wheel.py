"""Build wheels of source distributions, once, for `--find-links`: the one task that runs foreign code."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name, parse_wheel_filename

from rdna1_lock.errors import InputError, UsageError
from rdna1_lock.hashes import agree, hash_file
from rdna1_lock.requirements import read_requirement
from rdna1_lock.rules import DEFAULT_STACK, load_stack

if TYPE_CHECKING:
    from rdna1_lock.tasks.context import Context

TIMEOUT = 3600


@dataclass(frozen=True, kw_only=True)
class WheelRequest:
    """What to build, where to put it, and for which Python: by default that of the stack."""

    requirements: tuple[str, ...]
    dest: Path = Path("wheels")
    python: str | None = None
    python_version: str | None = None
    stack: str = DEFAULT_STACK
    index_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """One wheel that is in the folder now."""

    path: Path
    sha256: str
    size: int


def build_wheels(request: WheelRequest, context: Context) -> tuple[Built, ...]:
    """Build each requirement alone, in an isolated environment, with the target's interpreter.

    pip does it, with the build backend that the project names (PEP 517): whatever that is, its
    code and the code of everything that it needs to build runs on this machine.

    Raises:
        UsageError: a requirement cannot be read, or there is no interpreter of that Python.
        InputError: the build fails, or the folder cannot be written.
        IntegrityError: another wheel of the same name is in the folder.

    """
    from rdna1_lock.install.interpreter import find_interpreter

    for text in request.requirements:
        if read_requirement(text, "command line", folder=None).parsed.url is not None:
            raise UsageError("bad-argument", f"`{text}` is a URL; name a project and a version")
    series = request.python_version or load_stack(request.stack).default_python
    python = find_interpreter(series, request.python).executable
    request.dest.mkdir(parents=True, exist_ok=True)
    built = []
    for text in request.requirements:
        context.check()
        context.listener.say(f"building {text} with {python}")
        built.append(_build(text, python, request, context))
    return tuple(built)


def _build(text: str, python: Path, request: WheelRequest, context: Context) -> Built:
    # Next to the folder, so that the rename stays on one file system.
    with tempfile.TemporaryDirectory(dir=request.dest.absolute(), prefix=".build-") as folder:
        options = ["--index-url", request.index_url] if request.index_url else []
        command = [
            *(sys.executable, "-I", "-m", "pip", "--no-input", "--python", str(python)),
            *("wheel", "--no-deps", "--disable-pip-version-check", "--wheel-dir", folder),
            *options,
            *("--", text),
        ]
        done = subprocess.run(
            command,
            cwd=folder,
            env={name: value for name, value in context.environ.items() if name != "PYTHONPATH"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            check=False,
            timeout=TIMEOUT,
        )
        if "No matching distribution found" in done.stdout:
            raise InputError(
                "build-failed",
                f"the index has no release `{text}` that {python} could use",
                hint="check the name, the version, and --python-version",
            )
        found = list(Path(folder).glob("*.whl"))
        if done.returncode or len(found) != 1:
            raise InputError(
                "build-failed",
                f"{text} cannot be built into a wheel",
                facts=tuple(done.stdout.strip().splitlines()[-15:]),
                hint="its documentation says what it needs to build: a compiler, headers, another version",
            )
        return _keep(text, found[0], request.dest)


def _keep(text: str, wheel: Path, dest: Path) -> Built:
    name, _, _, _ = parse_wheel_filename(wheel.name)
    asked = read_requirement(text, "command line", folder=None).parsed.name
    if name != canonicalize_name(asked):
        raise InputError("build-failed", f"{text} gave a wheel of {name}: {wheel.name}")
    final, digest = dest / wheel.name, hash_file(wheel)
    if final.exists():
        # Builds are seldom reproducible, and a lock may name the one that is there.
        agree(
            wheel.name,
            {"just built": digest, f"in {dest}": hash_file(final)},
            hint=f"delete {final} to take the new one, or keep it: locks made with it name its hash",
        )
    wheel.replace(final)
    return Built(path=final, sha256=digest, size=final.stat().st_size)
