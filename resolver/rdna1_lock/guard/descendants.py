"""End what a worker started and left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING

from rdna1_lock.guard.process import all_stats, read_short, stat_of

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable

    from rdna1_lock.guard.process import Stat

ENVIRON_LIMIT = 65536
WAIT = 1.0


def end_descendants(leader: subprocess.Popen[bytes], mark: str) -> tuple[str, ...]:
    """Kill a worker's group, its session, and orphans that carry its mark; return their names.

    The leader has exited but is not reaped before its group is killed: until then its pid, and
    so the group's, cannot be given to another process.
    """
    orphans = _orphans(leader.pid, mark)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader.pid, signal.SIGKILL)
    for pid in orphans:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    leader.poll()
    _wait_for(orphans)
    return tuple(stat.comm for stat in orphans.values())


def _orphans(leader: int, mark: str) -> dict[int, Stat]:
    me = os.getpid()
    return {
        pid: stat
        for pid, stat in all_stats().items()
        if pid != leader and (stat.session == leader or (stat.ppid == me and _is_marked(pid, mark)))
    }


def _is_marked(pid: int, mark: str) -> bool:
    """Say whether an orphan belongs to this worker.

    A process in uninterruptible sleep is left alone: reading its ``environ`` could block.
    """
    stat = stat_of(f"/proc/{pid}/stat")
    if stat is None or stat.state in "DZ":
        return False
    environ = read_short(f"/proc/{pid}/environ", ENVIRON_LIMIT)
    return environ is not None and f"{mark}\0" in environ


def _wait_for(pids: Iterable[int]) -> None:
    end = time.monotonic() + WAIT
    waiting = set(pids)
    while waiting and time.monotonic() < end:
        waiting = {pid for pid in waiting if not _is_gone(pid)}
        time.sleep(0.01)


def _is_gone(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return stat_of(f"/proc/{pid}/stat") is None
