"""The surroundings of a task: environment, cache, a listener, and a way to be stopped."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Protocol

from rdna1_lock.errors import CancelledError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rdna1_lock.guard.activity import Activity
    from rdna1_lock.guard.outcome import Record
    from rdna1_lock.tasks.size import Size


class Listener(Protocol):
    """Is told how a task goes, while it goes; downloads report from any thread."""

    def say(self, text: str) -> None:
        """Learn of a step that has begun or ended."""

    def note(self, text: str) -> None:
        """Learn something that the user should know, whatever the outcome."""

    def size(self, size: Size) -> None:
        """Learn how much is to be downloaded and installed, before it is."""

    def expect(self, sizes: Mapping[str, int]) -> None:
        """Learn which files will come, with their sizes in bytes."""

    def update(self, filename: str, done: int, total: int | None) -> None:
        """Learn how many bytes of a file have come."""

    def expect_workers(self, count: int) -> None:
        """Learn how many guarded workers will run."""

    def worker_runs(self, now: Activity) -> None:
        """Learn what a guarded worker is doing, about once a second."""

    def worker_ended(self, record: Record) -> None:
        """Learn how a guarded worker ended."""


class Silent:
    """A listener that listens to nothing."""

    def say(self, text: str) -> None:
        """Ignore it."""

    def note(self, text: str) -> None:
        """Ignore it."""

    def size(self, size: Size) -> None:
        """Ignore it."""

    def expect(self, sizes: Mapping[str, int]) -> None:
        """Ignore it."""

    def update(self, filename: str, done: int, total: int | None) -> None:
        """Ignore it."""

    def expect_workers(self, count: int) -> None:
        """Ignore it."""

    def worker_runs(self, now: Activity) -> None:
        """Ignore it."""

    def worker_ended(self, record: Record) -> None:
        """Ignore it."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a task may use; ``cancel`` may be set from any thread, and stops the task soon."""

    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    cache_dir: Path | None = None
    listener: Listener = field(default_factory=Silent)
    cancel: Event = field(default_factory=Event)

    @property
    def cache(self) -> Path:
        """The cache folder: the one given, else by the environment, else the user's own."""
        from rdna1_lock.index.cache import default_cache_dir

        return self.cache_dir or default_cache_dir(self.environ)

    def check(self) -> None:
        """Go on, or stop.

        Raises:
            CancelledError: ``cancel`` is set.

        """
        if self.cancel.is_set():
            raise CancelledError

    def update(self, filename: str, done: int, total: int | None) -> None:
        """Pass on how a download goes, and stop it where the task is cancelled."""
        self.check()
        self.listener.update(filename, done, total)

    def expect(self, sizes: Mapping[str, int]) -> None:
        """Pass on what will be downloaded."""
        self.listener.expect(sizes)
