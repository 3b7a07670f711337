"""How a sweep goes: one line that changes on a terminal, a line for each worker elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rdna1_lock.cli.render import draw, say
from rdna1_lock.cli.terminal import Terminal
from rdna1_lock.tasks.context import Context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdna1_lock.guard.activity import Activity
    from rdna1_lock.guard.outcome import Record

PATIENT = 10.0
EVERY = 30.0
WIDTH = 110


@contextmanager
def open_sweep_context(*, quiet: bool) -> Iterator[Context]:
    """Return the surroundings of a sweep that this terminal listens to."""
    terminal = SweepTerminal(quiet=quiet)
    try:
        yield Context(listener=terminal)
    finally:
        terminal.close()


class SweepTerminal(Terminal):
    """Shows workers as well as downloads."""

    def __init__(self, *, quiet: bool) -> None:
        super().__init__(quiet=quiet)
        self._silent = quiet
        self._redraws = sys.stderr.isatty()
        self._total = self._count = 0
        self._width = 0
        self._last = time.monotonic()

    def expect_workers(self, count: int) -> None:
        """Show of how many workers each one is."""
        self._total = count

    def worker_runs(self, now: Activity) -> None:
        """Show a worker that runs; off a terminal only one that takes long, now and then."""
        if self._silent:
            return
        text = f"{self._place()} {now.case or now.name}: {now.phase}, {now.waited:.0f} s"
        if now.waited >= PATIENT:
            text += ", compiling or hung? " + ("processor busy" if now.busy else "processor idle")
        if self._redraws:
            self._draw(text)
        elif now.waited >= PATIENT and time.monotonic() - self._last >= EVERY:
            self._line(text)

    def worker_ended(self, record: Record) -> None:
        """Show a worker that has ended; probes are not counted."""
        if record.name == "probe":
            return
        self._count += 1
        if not self._silent:
            self._line(
                f"{self._place()} {record.name}: {record.outcome.value}, {record.seconds:.1f} s"
            )

    def close(self) -> None:
        """Remove what was drawn."""
        super().close()
        if self._width:
            self._draw("")
            draw("\r")

    def _place(self) -> str:
        return f"{self._count:>3}/{self._total}"

    def _draw(self, text: str) -> None:
        draw("\r" + text[:WIDTH].ljust(self._width))
        self._width = len(text[:WIDTH])

    def _line(self, text: str) -> None:
        if self._redraws:
            self._draw(text)
            if ": done," in text:
                return
            say("")
            self._width = 0
        else:
            say(text)
        self._last = time.monotonic()
