"""What a sweep is at: one line that changes on a terminal, a line per worker elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rdna1_lock.guard.outcome import Record
    from rdna1_lock.guard.patience import Progress

PATIENT = 10.0
EVERY = 30.0


class Teller:
    """Tells people; ``total`` is how many workers are expected."""

    def __init__(self, *, total: int, quiet: bool) -> None:
        self._total, self._quiet = total, quiet
        self._terminal = sys.stderr.isatty()
        self._count = 0
        self._width = 0
        self._last = time.monotonic()

    def progress(self, now: Progress) -> None:
        """Tell of a worker that runs."""
        if self._quiet:
            return
        text = f"{self._place()} {now.case or now.name}: {now.phase}, {now.waited:.0f} s"
        if now.waited >= PATIENT:
            text += ", compiling or hung? " + ("processor busy" if now.busy else "processor idle")
        if self._terminal:
            self._draw(text)
        elif now.waited >= PATIENT and time.monotonic() - self._last >= EVERY:
            self._line(text)

    def done(self, record: Record) -> None:
        """Tell of a worker that has ended."""
        if record.name == "probe":
            return
        self._count += 1
        if not self._quiet:
            self._line(
                f"{self._place()} {record.name}: {record.outcome.value}, {record.seconds:.1f} s"
            )

    def close(self) -> None:
        """Take the changing line away."""
        if self._width:
            self._draw("")
            click.echo("\r", nl=False, err=True)

    def _place(self) -> str:
        return f"{self._count:>3}/{self._total}"

    def _draw(self, text: str) -> None:
        click.echo("\r" + text[:110].ljust(self._width), nl=False, err=True)
        self._width = len(text[:110])

    def _line(self, text: str) -> None:
        if self._terminal:
            self._draw(text)
            if ": done," in text:
                return
            click.echo("", err=True)
            self._width = 0
        else:
            click.echo(text, err=True)
        self._last = time.monotonic()
