"""MIOpen's log at level 6: version, find mode, and the solver of each case."""

from __future__ import annotations

import re
from typing import Any

# MIOpen 2.17: `MIOpen(HIP): <Level> [<function>] <text>` on standard error. The text of the choice
# is the same from 5.2 to 6.2; the function that prints it is not.
CASE = re.compile(r"^rdna1-lock case (\S+)")
FIND_MODE = re.compile(r"MIOPEN_FIND_MODE = (\w+)")
VERSION = re.compile(r"MIOpen version (\d+(?:\.\d+)*)")
DEVICE = re.compile(r"Raw device name: (\S+)")
CHOSEN = re.compile(r"\b(FW|BWD|BWrW) Chosen Algorithm: (\S+) ,")
IMMEDIATE = re.compile(r"\[Convolution(Forward|Backward|Wrw)Immediate\] solver_id = ([^,\s]+)")
DIRECTIONS = {
    "FW": "forward",
    "BWD": "backward-data",
    "BWrW": "backward-weights",
    "Forward": "forward",
    "Backward": "backward-data",
    "Wrw": "backward-weights",
}
LINE_LIMIT = 65536


class MiopenLog:
    """Reads standard error piece by piece, of any length, and keeps a few facts."""

    def __init__(self) -> None:
        self._rest = b""
        self._case: str | None = None
        self.find_mode: str | None = None
        self.version: str | None = None
        self.device: str | None = None
        self.solvers: dict[str, dict[str, str]] = {}

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-LINE_LIMIT:]
        for line in lines:
            self._line(line[:LINE_LIMIT].decode("utf-8", "replace"))

    def _line(self, line: str) -> None:
        if match := CASE.match(line):
            self._case = match[1]
        elif "MIOpen" not in line:
            return
        elif match := CHOSEN.search(line) or IMMEDIATE.search(line):
            if self._case is not None:
                chosen = self.solvers.setdefault(self._case, {})
                chosen.setdefault(DIRECTIONS[match[1]], match[2][:80])
        elif match := FIND_MODE.search(line):
            self.find_mode = match[1]
        elif match := VERSION.search(line):
            self.version = match[1]
        elif match := DEVICE.search(line):
            self.device = match[1][:40]

    def to_json(self) -> dict[str, Any]:
        """Return the facts; without MIOpen all are None or empty."""
        return {
            "miopen": self.version,
            "find_mode": self.find_mode,
            "device": self.device,
            "cases": {name: dict(sorted(found.items())) for name, found in self.solvers.items()},
        }
