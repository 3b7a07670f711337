"""A listener for people: what a task does, on standard error."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from rdna1_lock.cli.render import note, say, size_words
from rdna1_lock.tasks.context import Context, Silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from rich.progress import Progress, TaskID

    from rdna1_lock.tasks.size import Size


@contextmanager
def open_context(*, quiet: bool, cache_dir: Path | None = None) -> Iterator[Context]:
    """Return the surroundings of a task that this terminal listens to."""
    terminal = Terminal(quiet=quiet)
    try:
        yield Context(cache_dir=cache_dir, listener=terminal)
    finally:
        terminal.close()


class Terminal(Silent):
    """Tells people how a task goes: lines, and progress bars for downloads.

    Bars, one for each file and one for all, are drawn on a terminal only.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._totals: dict[str, int] = {}
        self._done: dict[str, int] = {}
        self._drawn = not quiet and sys.stderr.isatty()
        self._lock = Lock()
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def say(self, text: str) -> None:
        """Print a line to standard error."""
        if not self._quiet:
            say(text)

    def note(self, text: str) -> None:
        """Print a remark to standard error."""
        if not self._quiet:
            note(text)

    def size(self, size: Size) -> None:
        """Print what is to come."""
        if not self._quiet:
            say(f"size: {size_words(size)}")

    def expect(self, sizes: Mapping[str, int]) -> None:
        """Count files that have not begun into the total."""
        self._totals.update(sizes)

    def update(self, filename: str, done: int, total: int | None) -> None:
        """Show how much of a file has come."""
        if not self._drawn:
            return
        with self._lock:
            if self._progress is None:
                self._progress = _progress()
                self._progress.start()
                self._all = self._progress.add_task("all", total=None)
            if filename not in self._tasks:
                self._tasks[filename] = self._progress.add_task(filename, total=total)
            self._progress.update(self._tasks[filename], completed=done, total=total)
            self._done[filename] = done
            if total is not None:
                self._totals[filename] = total
            self._progress.update(
                self._all, completed=sum(self._done.values()), total=sum(self._totals.values())
            )

    def close(self) -> None:
        """Take the bars away."""
        if self._progress is not None:
            self._progress.stop()


def _progress() -> Progress:
    from rich.console import Console  # 76 ms, only where something is drawn
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
