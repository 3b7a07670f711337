"""The parent of one worker, which never makes a call that can block.

``subprocess`` cannot wait for it: after a timeout, ``communicate`` and ``run`` kill the child and
wait again, without a limit, which a child in uninterruptible sleep makes endless.
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

from rdna1_lock.guard.activity import Activity
from rdna1_lock.guard.descendants import end_descendants
from rdna1_lock.guard.inbox import Inbox
from rdna1_lock.guard.native_stacks import native_stacks
from rdna1_lock.guard.outcome import Outcome, Record, classify
from rdna1_lock.guard.process import all_stats, exit_of, family_ticks, threads_of
from rdna1_lock.guard.ring import Ring
from rdna1_lock.guard.survivors import Survivors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rdna1_lock.guard.patience import Patience

WORKER = Path(__file__).with_name("worker")
SETTINGS = "RDNA1_LOCK_WORKER"
MARK = "RDNA1_LOCK_CASE"
CHUNK = 65536
CHUNKS_PER_TURN = 64
SHOWN = 16


def run_worker(
    command: Sequence[str],
    name: str,
    task: Mapping[str, Any],
    env: Mapping[str, str],
    *,
    patience: Patience,
    running: Callable[[Activity], None] = lambda _: None,
    on_stderr: Callable[[bytes], None] = lambda _: None,
    survivors: Survivors | None = None,
    py_spy: str | None = None,
) -> Record:
    """Run one worker until it ends or its patience does.

    Returns within the budget of the phases plus ``evidence + term + kill`` seconds, even if the
    worker cannot be killed; it is then added to ``survivors``. ``running`` is called about
    once a second; an exception that it raises ends the worker. With ``py_spy``, a hang is recorded with native stacks.
    """
    run = _Run(command, name, task, env, patience, running, on_stderr)
    run.survivors, run.py_spy = survivors or Survivors(), py_spy
    if run.process is None:
        return Record(name=name, outcome=Outcome.SPAWN_ERROR, error=run.spawn_error)
    try:
        run.wait()
        return run.finish()
    except BaseException:
        run.abandon()
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
        running: Callable[[Activity], None],
        on_stderr: Callable[[bytes], None],
    ) -> None:
        self.survivors = Survivors()
        self.py_spy: str | None = None
        self.name, self.patience = name, patience
        self.running, self.on_stderr = running, on_stderr
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
        self.last_report, self.last_ticks = self.started, 0
        self.hang: dict[str, Any] | None = None
        self.killed_with: str | None = None
        self.exit: tuple[str, int] | None = None

    def _take_stderr(self, data: bytes) -> None:
        self.stderr.add(data)
        self.on_stderr(data)

    def _pump(self, timeout: float) -> None:
        """Read what has arrived; bounded, so that a flood cannot postpone the deadline."""
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

    def wait(self) -> None:
        """Wait for the end of the worker, or of the patience with its phase."""
        while not self._ended():
            now = time.monotonic()
            left = self.said.phase_began + self.patience.of(self.said.phase) - now
            if left <= 0:
                self._end_hang()
                return
            if now - self.last_report >= 1.0:
                self._report(now)
            self._pump(min(left, 0.25))

    def _report(self, now: float) -> None:
        self.last_report = now
        ticks = family_ticks(self.pid)
        busy, self.last_ticks = ticks > self.last_ticks, ticks
        waited = now - self.said.phase_began
        self.running(
            Activity(
                name=self.name, case=self.said.case, phase=self.said.phase, waited=waited, busy=busy
            )
        )

    def _end_hang(self) -> None:
        """Collect evidence, then end the group: SIGTERM, SIGKILL, or leave it and say so."""
        before = threads_of(self.pid)
        self.hang = self._symptoms()
        self._request_stacks()
        self._until_exit(self.patience.evidence)
        self.hang |= _difference(before, threads_of(self.pid) or before)
        # py-spy attaches with ptrace, which a stopped or uninterruptible process does not answer.
        if self.exit is None and self.py_spy and not {"D", "T"} & set(self.hang["states"]):
            self.hang["native_stacks"] = native_stacks(self.pid, self.py_spy, self.survivors)
        self._end_group()

    def _symptoms(self) -> dict[str, Any]:
        now = time.monotonic()
        beat = self.said.last_beat
        children = [
            f"{stat.comm} ({stat.state})" for stat in all_stats().values() if stat.ppid == self.pid
        ]
        return {
            "phase": self.said.phase,
            "case": self.said.case,
            "waited": round(now - self.said.phase_began, 2),
            "heartbeat_age": None if beat is None else round(now - beat, 2),
            "children": children[:SHOWN],
        }

    def _request_stacks(self) -> None:
        """Have the worker dump its stacks, unless its own watchdog already has.

        The handler of SIGUSR1 is certain to be installed once a heartbeat was sent; before, the
        signal would kill the worker.
        """
        if self.said.result is None and self.said.last_beat is not None and not self.stacks.total:
            with contextlib.suppress(OSError):
                os.kill(self.pid, signal.SIGUSR1)

    def _end_group(self) -> None:
        for number, grace in (
            (signal.SIGTERM, self.patience.term),
            (signal.SIGKILL, self.patience.kill),
        ):
            if self.exit is not None:
                return
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)
            self.killed_with = number.name
            self._until_exit(grace)

    def finish(self) -> Record:
        """Clean up and return the record, without waiting for the end of any stream."""
        assert self.process is not None  # noqa: S101  # it was started
        self._pump(0)
        self._pump(0.02)
        left_behind: tuple[str, ...] = ()
        if self.exit is not None:
            left_behind = end_descendants(self.process, f"{MARK}={self.name}")
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
        if outcome is Outcome.HANG_UNKILLABLE:
            survivor = tuple(threads_of(self.pid))
            self.survivors.add(self.process)
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

    def abandon(self) -> None:
        """End the worker at once, since nobody waits for it any more."""
        assert self.process is not None  # noqa: S101  # it was started
        with contextlib.suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)
        if self._until_exit(self.patience.kill):
            end_descendants(self.process, f"{MARK}={self.name}")
        else:
            self.survivors.add(self.process)

    def close(self) -> None:
        """Close our ends of the pipes."""
        self.selector.close()
        for handle in self.handles:
            os.close(handle)
        if self.process is not None:
            for stream in (self.process.stdout, self.process.stderr):
                if stream is not None:
                    stream.close()


def _difference(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Say how many threads computed between two looks at them, and what states they are in."""
    ticks = {thread["tid"]: thread["ticks"] for thread in before}
    return {
        "busy_threads": sum(t["ticks"] > ticks.get(t["tid"], 0) for t in after),
        "states": dict(collections.Counter(str(t["state"]) for t in after)),
        "threads": list(after[:SHOWN]),
    }
