"""Interpreters: found on PATH or named, and asked what they are."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdna1_lock.errors import UsageError
from rdna1_lock.install import probe as asking

TIMEOUT = 60
LONGEST = 64 * 2**20
POLL = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """What an interpreter says of itself and of what is installed next to it."""

    executable: Path
    version: str
    implementation: str
    machine: str
    venv: bool
    prefix: str
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
    """Ask an interpreter what it is; None where it does not run, or gives another answer."""
    command = [str(executable), "-I", "-B", asking.__file__]
    try:
        status, output = run_bounded(command, env=clean_environment(), timeout=TIMEOUT)
        return _read(executable, json.loads(output)) if status == 0 else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _read(executable: Path | str, data: dict[str, Any]) -> Interpreter:
    told = data["paths"]
    paths = {key: str(told.get(key) or told["purelib"]) for key in asking.PATHS}
    own = {os.path.realpath(paths[key]) for key in ("purelib", "platlib")}
    return Interpreter(
        executable=Path(shutil.which(str(executable)) or executable),
        version=str(data["version"]),
        implementation=str(data["implementation"]),
        machine=str(data["machine"]),
        venv=data["prefix"] != data["base_prefix"],
        prefix=str(data["prefix"]),
        paths=paths,
        distributions=tuple(
            (str(item["name"]), str(item["version"] or ""), str(item["path"]))
            for item in data["distributions"]
            if item["place"] in own
        ),
    )


def run_bounded(
    command: list[str],
    *,
    env: dict[str, str],
    timeout: float,
    errors: bool = False,
    hold: int | None = None,
) -> tuple[int, bytes]:
    """Run a program for at most ``timeout`` seconds and return its status and output.

    It and what it started are killed when it takes longer or prints more than anything of ours
    does. With ``errors``, what it prints to standard error belongs to the output. It inherits the
    handle ``hold``.

    Raises:
        OSError: it cannot be started.

    """
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if errors else subprocess.DEVNULL,
        env=env,
        start_new_session=True,
        pass_fds=() if hold is None else (hold,),
    ) as process:
        ends = time.monotonic() + timeout
        try:
            output = _output(process, ends)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, ends - time.monotonic()) if len(output) <= LONGEST else 0.0)
        finally:
            if process.returncode is None:
                _kill(process)
        return process.wait(), output


def _output(process: subprocess.Popen[bytes], ends: float) -> bytes:
    """Read until the output ends, the time is over, or the program is gone.

    What it has started may be in a session of its own and hold the pipe for ever.
    """
    found = bytearray()
    if process.stdout is None:
        return b""
    handle, waiting = process.stdout.fileno(), select.poll()
    waiting.register(handle, select.POLLIN | select.POLLHUP)
    while len(found) <= LONGEST and (left := ends - time.monotonic()) > 0:
        gone = process.poll() is not None
        if waiting.poll(0 if gone else 1000 * min(left, POLL)):
            part = os.read(handle, 1 << 16)
            if not part:
                break
            found += part
        elif gone:
            break
    return bytes(found)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


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
