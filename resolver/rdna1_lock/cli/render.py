"""How results look: text for people, JSON for programs; complete without colour."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from threading import Lock
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.progress import Progress, TaskID

    from rdna1_lock.errors import Error

JSON_SCHEMA = 1
WIDTH = 100


def print_error(error: Error) -> None:
    """Print an error: what, then the facts, then what to do."""
    click.echo(_style(f"error[{error.code}]", fg="red", bold=True) + f": {error.message}", err=True)
    if error.facts:
        click.echo("", err=True)
        for fact in error.facts:
            click.echo(_wrapped(fact), err=True)
    if error.hint:
        click.echo("", err=True)
        click.echo(_style("hint", fg="cyan", bold=True) + f": {error.hint}", err=True)


def note(text: str) -> None:
    """Print a remark to standard error."""
    click.echo(_style("note", fg="yellow", bold=True) + f": {text}", err=True)


def say(text: str) -> None:
    """Print a line about what was done to standard error."""
    click.echo(text, err=True)


def print_json(data: dict[str, Any]) -> None:
    """Print the one JSON object of a command; ``schema`` is the version of its form."""
    click.echo(json.dumps({"schema": JSON_SCHEMA, **data}, indent=2, ensure_ascii=False))


def _wrapped(fact: str) -> str:
    inner = fact.lstrip(" ")
    indent = " " * (len(fact) - len(inner))
    return textwrap.fill(
        inner,
        WIDTH,
        initial_indent=f"  {indent}{'' if indent else '- '}",
        subsequent_indent=f"    {indent}",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _style(text: str, **style: Any) -> str:
    if os.environ.get("NO_COLOR") or not sys.stderr.isatty():
        return text
    return click.style(text, **style)


class Downloads:
    """Progress bars, one for each file and one for all; on a terminal only, from any thread."""

    def __init__(self, *, quiet: bool) -> None:
        self._totals: dict[str, int] = {}
        self._done: dict[str, int] = {}
        self._drawn = not quiet and sys.stderr.isatty()
        self._lock = Lock()
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

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
