"""The end of a stream of any length."""

from __future__ import annotations

TAIL = 64 * 1024


class Ring:
    """Keeps the last bytes of a stream and counts all of them."""

    def __init__(self) -> None:
        self.total = 0
        self._kept = bytearray()

    def add(self, data: bytes) -> None:
        """Add bytes; the oldest ones are dropped."""
        self.total += len(data)
        self._kept += data
        if len(self._kept) > 2 * TAIL:
            del self._kept[:-TAIL]

    def tail(self, size: int) -> str:
        """Return at most the last ``size`` bytes as text."""
        return bytes(self._kept[-size:]).decode("utf-8", "replace")
