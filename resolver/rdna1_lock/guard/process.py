"""Processes as ``/proc`` shows them, by short reads that neither block nor fail.

``cmdline``, ``environ`` and ``maps`` of a suspect are not read: they take its memory lock and can
block for as long as it hangs.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

MAX_THREADS = 64
PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Stat:
    """What ``/proc/PID/stat`` says; ``ticks`` is processor time in clock ticks."""

    comm: str
    state: str
    ppid: int
    session: int
    ticks: int


def become_subreaper() -> None:
    """Have orphaned descendants become our children, so that none is lost."""
    import ctypes  # 10 ms, and only a sweep needs it

    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def read_short(path: str, limit: int = 4096) -> str | None:
    """Return the first bytes of a file of the kernel, None where that is not allowed."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.read(handle, limit).decode("utf-8", "replace")
    except OSError:
        return None
    finally:
        os.close(handle)


def stat_of(path: str) -> Stat | None:
    """Read a ``stat`` file; the name in it may hold spaces and parentheses."""
    text = read_short(path)
    if not text:
        return None
    try:
        end = text.rindex(")")
        fields = text[end + 2 :].split()
        return Stat(
            comm=text[text.index("(") + 1 : end],
            state=fields[0],
            ppid=int(fields[1]),
            session=int(fields[3]),
            ticks=int(fields[11]) + int(fields[12]),
        )
    except (ValueError, IndexError):
        return None


def threads_of(pid: int) -> list[dict[str, Any]]:
    """Return each thread's name, state, processor time and, where readable, place in the kernel."""
    base = f"/proc/{pid}/task"
    try:
        ids = sorted(map(int, os.listdir(base)))[:MAX_THREADS]
    except OSError:
        return []
    return [thread for tid in ids if (thread := _thread(f"{base}/{tid}", tid)) is not None]


def _thread(folder: str, tid: int) -> dict[str, Any] | None:
    stat = stat_of(f"{folder}/stat")
    if stat is None:
        return None
    stack = (read_short(f"{folder}/stack") or "").split("\n")
    return {
        "tid": tid,
        "comm": stat.comm,
        "state": stat.state,
        "ticks": stat.ticks,
        "wchan": (read_short(f"{folder}/wchan") or "").strip("\0\n") or None,
        "syscall": (read_short(f"{folder}/syscall") or "").split(" ")[0].strip() or None,
        "kernel_stack": [line for line in stack if line][:8],
    }


def all_stats() -> dict[int, Stat]:
    """Return the stat of every process."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (stat := stat_of(f"/proc/{name}/stat")) is not None:
            found[int(name)] = stat
    return found


def family_ticks(pid: int) -> int:
    """Return the processor time of a process and its descendants together."""
    stats = all_stats()
    members, total = {pid}, 0
    grown = True
    while grown:
        more = {child for child, stat in stats.items() if stat.ppid in members} - members
        members |= more
        grown = bool(more)
    for member in members:
        if member in stats:
            total += stats[member].ticks
    return total


def exit_of(pid: int) -> tuple[str, int] | None:
    """Return how a child ended without reaping it, so that its pid and group stay ours.

    None while it lives. ``("exit", status)`` or ``("signal", number)``.
    """
    try:
        info = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return ("exit", 0)
    if info is None:
        return None
    return ("exit" if info.si_code == os.CLD_EXITED else "signal", info.si_status)
