"""Stacks of a process with its C frames, from py-spy where it is installed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

from rdna1_lock.guard.ring import Ring

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rdna1_lock.guard.survivors import Survivors

CHUNK = 65536
LIMIT = 8.0


def find_py_spy(environ: Mapping[str, str]) -> str | None:
    """Return py-spy's program: ``RDNA1_LOCK_PYSPY``, or the one on PATH."""
    return environ.get("RDNA1_LOCK_PYSPY") or shutil.which("py-spy", path=environ.get("PATH"))


def native_stacks(pid: int, program: str, survivors: Survivors) -> str:
    """Dump the stacks of a process, within ``LIMIT`` seconds.

    ``--nonblocking`` leaves the process running: py-spy would otherwise stop it with ptrace and
    wait for that, which never ends where the process is in uninterruptible sleep. It may hang all
    the same, so it has a time limit of its own and becomes a survivor past it.
    """
    ring = Ring()
    process = subprocess.Popen(  # no `with`: leaving it waits without a limit
        [program, "dump", "--nonblocking", "--pid", str(pid)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout is not None  # noqa: S101  # PIPE was asked for
    os.set_blocking(process.stdout.fileno(), False)
    end = time.monotonic() + LIMIT
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(BlockingIOError):
            ring.add(os.read(process.stdout.fileno(), CHUNK))
        time.sleep(0.02)
    if process.poll() is None:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        survivors.add(process)
    with contextlib.suppress(BlockingIOError):
        ring.add(os.read(process.stdout.fileno(), CHUNK))
    process.stdout.close()
    return ring.tail(6000)
