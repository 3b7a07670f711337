"""How a worker ended, as one word."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

SUSPENDED_AFTER = 2.0


class Outcome(str, Enum):
    """How a worker can end."""

    DONE = "done"
    HANG = "hang"
    HANG_UNKILLABLE = "hang_unkillable"
    STOPPED = "stopped"
    TEARDOWN_HANG = "teardown_hang"
    CRASH_AFTER_RESULT = "crash_after_result"
    ERROR_AFTER_RESULT = "error_after_result"
    SEGFAULT = "segfault"
    ABORT = "abort"
    KILLED = "killed"
    CRASH = "crash"
    ERROR = "error"
    NO_RESULT = "no_result"
    BAD_RESULT = "bad_result"
    SPAWN_ERROR = "spawn_error"
    SUSPENDED = "inconclusive_suspended"
    NOT_RUN = "not_run"


# The results arrived, and only the exit went wrong.
LATE = frozenset({Outcome.TEARDOWN_HANG, Outcome.CRASH_AFTER_RESULT, Outcome.ERROR_AFTER_RESULT})
HANGS = frozenset({Outcome.HANG, Outcome.HANG_UNKILLABLE, Outcome.STOPPED, Outcome.TEARDOWN_HANG})
SIGNALS = {6: Outcome.ABORT, 9: Outcome.KILLED, 11: Outcome.SEGFAULT}


@dataclass(frozen=True, kw_only=True)
class Record:
    """Everything known about one worker's run; seconds are of the monotonic clock.

    ``phases`` are (name, case, seconds); ``cases`` what the worker sent about each case; ``hang``
    the evidence collected before it was killed; ``left_behind`` descendants that outlived it.
    """

    name: str
    outcome: Outcome
    seconds: float = 0.0
    phase: str = "spawn"
    case: str | None = None
    phases: tuple[tuple[str, str | None, float], ...] = ()
    beats: int = 0
    cases: tuple[dict[str, Any], ...] = ()
    result: dict[str, Any] | None = None
    error: str | None = None
    exit: tuple[str, int] | None = None
    killed_with: str | None = None
    suspended: float = 0.0
    stderr: str = ""
    stderr_bytes: int = 0
    stacks: str = ""
    bad_lines: int = 0
    hang: dict[str, Any] | None = None
    left_behind: tuple[str, ...] = ()
    survivor: tuple[dict[str, Any], ...] = ()
    why: str | None = field(default=None)


def classify(
    *,
    exit_status: tuple[str, int] | None,
    hang: dict[str, Any] | None,
    has_result: bool,
    broken_lines: bool,
    suspended: float,
) -> Outcome:
    """Return the outcome; a hang stays one, whatever the worker did once it was examined.

    A worker that did not run while the machine slept has used up its time without a fault.
    """
    if suspended > SUSPENDED_AFTER:
        return Outcome.SUSPENDED
    if hang is not None:
        return _hung(hang, exited=exit_status is not None, has_result=has_result)
    kind, value = exit_status or ("exit", 0)
    if kind == "signal":
        return Outcome.CRASH_AFTER_RESULT if has_result else SIGNALS.get(value, Outcome.CRASH)
    if has_result:
        return Outcome.ERROR_AFTER_RESULT if value else Outcome.DONE
    if broken_lines:
        return Outcome.BAD_RESULT
    return Outcome.ERROR if value else Outcome.NO_RESULT


def _hung(hang: dict[str, Any], *, exited: bool, has_result: bool) -> Outcome:
    if not exited:
        return Outcome.HANG_UNKILLABLE
    if has_result and hang["phase"] == "teardown":
        return Outcome.TEARDOWN_HANG
    stopped = hang["states"] == {"T": sum(hang["states"].values())}
    return Outcome.STOPPED if stopped else Outcome.HANG
