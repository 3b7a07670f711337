"""Streams of any length, processes that will not end, and the stacks of both."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time

TAIL = 64 * 1024
CHUNK = 65536


class Ring:
    """The last bytes of a stream of any length."""

    def __init__(self) -> None:
        self.total = 0
        self._kept = bytearray()

    def add(self, data: bytes) -> None:
        """Take bytes; old ones fall out."""
        self.total += len(data)
        self._kept += data
        if len(self._kept) > 2 * TAIL:
            del self._kept[:-TAIL]

    def tail(self, size: int) -> str:
        """Return the end as text."""
        return bytes(self._kept[-size:]).decode("utf-8", "replace")


# Children that survived SIGKILL: kept, so that they are reaped should they ever end.
SURVIVORS: list[subprocess.Popen[bytes]] = []


def reap_survivors() -> list[int]:
    """Reap what has ended by now; return the pids that still have not."""
    for process in list(SURVIVORS):
        if process.poll() is not None:
            SURVIVORS.remove(process)
    return [process.pid for process in SURVIVORS]


def native_stacks(pid: int, limit: float = 8.0) -> str | None:
    """Ask py-spy, where it is installed, for the stacks with their C frames' callers.

    Always without pausing the process and with a limit of its own: on a process in
    uninterruptible sleep a plain dump hangs as well.
    """
    program = os.environ.get("RDNA1_LOCK_PYSPY") or shutil.which("py-spy")
    if not program:
        return None
    ring = Ring()
    process = subprocess.Popen(  # no `with`: its end waits without a limit
        [program, "dump", "--nonblocking", "--pid", str(pid)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout is not None  # noqa: S101  # PIPE was asked for
    os.set_blocking(process.stdout.fileno(), False)
    end = time.monotonic() + limit
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(BlockingIOError):
            ring.add(os.read(process.stdout.fileno(), CHUNK))
        time.sleep(0.02)
    if process.poll() is None:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        SURVIVORS.append(process)
    with contextlib.suppress(BlockingIOError):
        ring.add(os.read(process.stdout.fileno(), CHUNK))
    process.stdout.close()
    return ring.tail(6000)
