"""The parent of one worker: it never makes a call that can block, whatever the worker does.

``subprocess``'s own waiting cannot be used: after a timeout it kills and waits without a limit,
and a worker in uninterruptible sleep is not there to be waited for.
"""

from __future__ import annotations

import collections
import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdna1_lock.guard.inbox import Inbox
from rdna1_lock.guard.outcome import Outcome, Record, classify
from rdna1_lock.guard.patience import Progress
from rdna1_lock.guard.process import (
    all_stats,
    exit_of,
    family_ticks,
    read_short,
    stat_of,
    threads_of,
)
from rdna1_lock.guard.stacks import CHUNK, SURVIVORS, Ring, native_stacks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rdna1_lock.guard.patience import Patience

WORKER = Path(__file__).with_name("worker")
SETTINGS = "RDNA1_LOCK_WORKER"
MARK = "RDNA1_LOCK_CASE"
CHUNKS_PER_TURN = 64


def run_worker(
    command: Sequence[str],
    name: str,
    task: Mapping[str, Any],
    env: Mapping[str, str],
    *,
    patience: Patience,
    tell: Callable[[Progress], None] = lambda _: None,
    on_stderr: Callable[[bytes], None] = lambda _: None,
) -> Record:
    """Run one worker to its end, or to the end of the patience with it.

    Returns within the budget of the phases plus ``evidence + term + kill`` seconds, also if the
    worker cannot be killed.
    """
    run = _Run(command, name, task, env, patience, tell, on_stderr)
    if run.process is None:
        return Record(name=name, outcome=Outcome.SPAWN_ERROR, error=run.spawn_error)
    try:
        run.wait()
        return run.finish()
    except BaseException:
        with contextlib.suppress(OSError):
            os.killpg(run.process.pid, signal.SIGKILL)
        raise
    finally:
        run.close()


class _Run:
    def __init__(
        self,
        command: Sequence[str],
        name: str,
        task: Mapping[str, Any],
        env: Mapping[str, str],
        patience: Patience,
        tell: Callable[[Progress], None],
        on_stderr: Callable[[bytes], None],
    ) -> None:
        self.name, self.patience, self.tell, self.on_stderr = name, patience, tell, on_stderr
        result_read, result_write = os.pipe()
        evidence_read, evidence_write = os.pipe()
        settings = {
            "result_fd": result_write,
            "evidence_fd": evidence_write,
            "parent": os.getpid(),
            "budget": dict(patience.budget),
            "heartbeat": patience.heartbeat,
            "task": task,
        }
        self.started = time.monotonic()
        self.booted = time.clock_gettime(time.CLOCK_BOOTTIME)
        self.process: subprocess.Popen[bytes] | None = None
        self.handles = [result_read, evidence_read]
        try:
            self.process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(result_write, evidence_write),
                env={**env, MARK: name, SETTINGS: json.dumps(settings)},
                start_new_session=True,
            )
        except OSError as error:
            self.spawn_error = f"{type(error).__name__}: {error}"
        os.close(result_write)
        os.close(evidence_write)
        if self.process is None:
            for handle in self.handles:
                os.close(handle)
            return
        self.pid = self.process.pid
        self.stderr, self.stacks = Ring(), Ring()
        self.said = Inbox(self.started)
        self.selector = selectors.DefaultSelector()
        assert self.process.stdout is not None  # noqa: S101  # PIPE was asked for
        assert self.process.stderr is not None  # noqa: S101
        for handle, sink in (
            (self.process.stdout.fileno(), lambda _: None),
            (self.process.stderr.fileno(), self._take_stderr),
            (evidence_read, self.stacks.add),
            (result_read, self.said.feed),
        ):
            os.set_blocking(handle, False)
            self.selector.register(handle, selectors.EVENT_READ, sink)
        with contextlib.suppress(OSError):
            pidfd = os.pidfd_open(self.pid)
            self.handles.append(pidfd)
            self.selector.register(pidfd, selectors.EVENT_READ, None)
        self.last_told, self.last_ticks = self.started, 0
        self.hang: dict[str, Any] | None = None
        self.killed_with: str | None = None
        self.exit: tuple[str, int] | None = None

    def _take_stderr(self, data: bytes) -> None:
        self.stderr.add(data)
        self.on_stderr(data)

    def _pump(self, timeout: float) -> None:
        """Read what is there; bounded, so that a flood cannot put the deadline off."""
        for key, _ in self.selector.select(max(0.0, timeout)):
            if key.data is None:
                continue
            for _ in range(CHUNKS_PER_TURN):
                try:
                    data = os.read(key.fd, CHUNK)
                except BlockingIOError:
                    break
                except OSError:
                    data = b""
                if not data:
                    self.selector.unregister(key.fd)
                    break
                key.data(data)

    def _ended(self) -> bool:
        self.exit = exit_of(self.pid)
        return self.exit is not None

    def _until_exit(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not self._ended():
            left = end - time.monotonic()
            if left <= 0:
                return False
            self._pump(min(left, 0.05))
        return True

    # What is done.

    def wait(self) -> None:
        """Wait for the end of the worker, or of the patience with its phase."""
        while not self._ended():
            now = time.monotonic()
            left = self.said.phase_began + self.patience.of(self.said.phase) - now
            if left <= 0:
                self._end_hang()
                return
            if now - self.last_told >= 1.0:
                self._tell(now)
            self._pump(min(left, 0.25))

    def _tell(self, now: float) -> None:
        self.last_told = now
        ticks = family_ticks(self.pid)
        busy, self.last_ticks = ticks > self.last_ticks, ticks
        waited = now - self.said.phase_began
        self.tell(
            Progress(
                name=self.name, case=self.said.case, phase=self.said.phase, waited=waited, busy=busy
            )
        )

    def _end_hang(self) -> None:
        """Take evidence, then end the group: SIGTERM, SIGKILL, or leave it and say so."""
        now = time.monotonic()
        age = None if self.said.last_beat is None else round(now - self.said.last_beat, 2)
        before = threads_of(self.pid)
        children = [
            f"{stat.comm} ({stat.state})"
            for pid, stat in all_stats().items()
            if stat.ppid == self.pid
        ]
        # The worker's own watchdog is the better witness. Its handler is known to stand once it
        # has sent a heartbeat; before, the signal would kill it.
        if self.said.result is None and self.said.last_beat is not None and not self.stacks.total:
            with contextlib.suppress(OSError):
                os.kill(self.pid, signal.SIGUSR1)
        self.hang = {
            "phase": self.said.phase,
            "case": self.said.case,
            "waited": round(now - self.said.phase_began, 2),
            "heartbeat_age": age,
            "children": children[:16],
        }
        self._until_exit(self.patience.evidence)
        after = threads_of(self.pid) or before
        ticks = {thread["tid"]: thread["ticks"] for thread in before}
        self.hang["busy_threads"] = sum(t["ticks"] > ticks.get(t["tid"], 0) for t in after)
        self.hang["states"] = dict(collections.Counter(str(t["state"]) for t in after))
        self.hang["threads"] = after[:16]
        if self.exit is None and not {"D", "T"} & set(self.hang["states"]):
            self.hang["native_stacks"] = native_stacks(self.pid)
        for number, grace in (
            (signal.SIGTERM, self.patience.term),
            (signal.SIGKILL, self.patience.kill),
        ):
            if self.exit is not None:
                break
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)
            self.killed_with = number.name
            self._until_exit(grace)

    def finish(self) -> Record:
        """Sweep up and return the record; the end of a stream is never waited for."""
        self._pump(0)
        self._pump(0.02)
        left_behind = self._end_descendants() if self.exit is not None else ()
        seconds = time.monotonic() - self.started
        suspended = time.clock_gettime(time.CLOCK_BOOTTIME) - self.booted - seconds
        self.said.close_phase()
        outcome = classify(
            exit_status=self.exit,
            hang=self.hang,
            has_result=self.said.result is not None,
            broken_lines=self.said.broken,
            suspended=suspended,
        )
        survivor: tuple[dict[str, Any], ...] = ()
        if outcome is Outcome.HANG_UNKILLABLE and self.process is not None:
            survivor = tuple(threads_of(self.pid))
            SURVIVORS.append(self.process)
        return Record(
            name=self.name,
            outcome=outcome,
            seconds=round(seconds, 3),
            phase=self.hang["phase"] if self.hang else self.said.phase,
            case=self.hang["case"] if self.hang else self.said.case,
            phases=tuple(self.said.phases),
            beats=self.said.beats,
            cases=tuple(self.said.cases),
            result=self.said.result,
            error=self.said.error,
            exit=self.exit,
            killed_with=self.killed_with,
            suspended=round(max(0.0, suspended), 3),
            stderr=self.stderr.tail(4000),
            stderr_bytes=self.stderr.total,
            stacks=self.stacks.tail(8000),
            bad_lines=self.said.bad_lines,
            hang=self.hang,
            left_behind=left_behind,
            survivor=survivor,
        )

    def _end_descendants(self) -> tuple[str, ...]:
        """Kill what the worker left: its group, its session, and orphans that carry its mark.

        The leader is dead but not reaped, so its group cannot be a stranger's.
        """
        me = os.getpid()
        orphans = {
            pid: stat
            for pid, stat in all_stats().items()
            if pid != self.pid
            and (stat.session == self.pid or (stat.ppid == me and self._is_marked(pid)))
        }
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        for pid in orphans:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if self.process is not None:
            self.process.poll()
        end = time.monotonic() + 1.0
        waiting = set(orphans)
        while waiting and time.monotonic() < end:
            for pid in list(waiting):
                try:
                    gone = os.waitpid(pid, os.WNOHANG)[0] != 0
                except ChildProcessError:
                    gone = stat_of(f"/proc/{pid}/stat") is None
                if gone:
                    waiting.discard(pid)
            time.sleep(0.01)
        return tuple(stat.comm for stat in orphans.values())

    def _is_marked(self, pid: int) -> bool:
        """Say whether an orphan is of this worker; one that sleeps in the kernel is not asked."""
        stat = stat_of(f"/proc/{pid}/stat")
        if stat is None or stat.state in "DZ":
            return False
        environ = read_short(f"/proc/{pid}/environ", CHUNK)
        return environ is not None and f"{MARK}={self.name}\0" in environ

    def close(self) -> None:
        """Close our ends of the pipes."""
        self.selector.close()
        for handle in self.handles:
            os.close(handle)
        if self.process is not None:
            for stream in (self.process.stdout, self.process.stderr):
                if stream is not None:
                    stream.close()
