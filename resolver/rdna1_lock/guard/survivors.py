"""Children that survived SIGKILL, kept so that they can be reaped if they ever end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess


class Survivors:
    """The children of one program that no signal ended."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []

    def add(self, process: subprocess.Popen[bytes]) -> None:
        """Keep a child that could not be killed."""
        self._processes.append(process)

    def reap(self) -> list[int]:
        """Reap the children that have ended; return the pids of the others."""
        self._processes = [process for process in self._processes if process.poll() is None]
        return [process.pid for process in self._processes]
