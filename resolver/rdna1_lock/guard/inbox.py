"""What a worker has reported so far, parsed from the bytes of its result pipe. No I/O."""

from __future__ import annotations

import json
import time
from typing import Any

LINE_LIMIT = 1 << 20


class Inbox:
    """Parses lines of one JSON object each; anything else is counted and skipped.

    ``phase`` and ``case`` are where the worker is, since ``phase_began`` on the monotonic clock.
    """

    def __init__(self, started: float) -> None:
        self._buffer = bytearray()
        self._dropping = False
        self.bad_lines = 0
        self.cases: list[dict[str, Any]] = []
        self.result: dict[str, Any] | None = None
        self.error: str | None = None
        self.phase, self.phase_began = "spawn", started
        self.case: str | None = None
        self.phases: list[tuple[str, str | None, float]] = []
        self.beats = 0
        self.last_beat: float | None = None

    @property
    def broken(self) -> bool:
        """Whether something arrived that is not a complete message."""
        return bool(self.bad_lines or self._buffer)

    def feed(self, data: bytes) -> None:
        """Take the next bytes; a line that exceeds the limit is dropped."""
        self._buffer += data
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            if self._dropping:
                self._dropping = False
                continue
            try:
                message = json.loads(line)
                if not isinstance(message, dict):
                    raise TypeError
            except (ValueError, TypeError, RecursionError):
                self.bad_lines += 1
                continue
            self._take(message)
        if len(self._buffer) > LINE_LIMIT:
            self._buffer.clear()
            self.bad_lines += 1
            self._dropping = True

    def _take(self, message: dict[str, Any]) -> None:
        if "beat" in message:
            self.beats += 1
            self.last_beat = time.monotonic()
        elif "phase" in message:
            case = message.get("case")
            self._enter(str(message["phase"])[:40], None if case is None else str(case)[:80])
        elif isinstance(message.get("case"), dict):
            self.cases.append(message["case"])
        elif isinstance(message.get("result"), dict):
            self.result = message["result"]
            self._enter("teardown", None)
        elif "error" in message:
            self.error = str(message["error"])[:500]
        else:
            self.bad_lines += 1

    def _enter(self, phase: str, case: str | None) -> None:
        self.close_phase()
        self.phase, self.case, self.phase_began = phase, case, time.monotonic()

    def close_phase(self) -> None:
        """Record how long the phase took that ends now."""
        taken = round(time.monotonic() - self.phase_began, 4)
        self.phases.append((self.phase, self.case, taken))
