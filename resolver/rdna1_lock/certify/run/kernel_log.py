"""What the kernel says about a hang, if this user may read its log."""

from __future__ import annotations

import os

# amdkfd and amdgpu, when a queue no longer answers and when the card is reset.
MARKERS = (
    "qcm fence wait loop timeout expired",
    "The cp might be in an unrecoverable state",
    "Failed to evict process queues",
    "GPU reset begin!",
    "ring gfx",
    "VM_L2_PROTECTION_FAULT",
    "Xid",
)
LIMIT = 200


class KernelLog:
    """New lines of ``/dev/kmsg``, read without waiting."""

    def __init__(self, path: str = "/dev/kmsg") -> None:
        self._handle: int | None = None
        try:
            self._handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            os.lseek(self._handle, 0, os.SEEK_END)
        except OSError:
            self.close()

    @property
    def readable(self) -> bool:
        """Whether this user may read it (kernel.dmesg_restrict)."""
        return self._handle is not None

    def news(self) -> list[str]:
        """Return the lines about a hang since the last call."""
        found: list[str] = []
        if self._handle is None:
            return found
        for _ in range(10_000):
            try:
                record = os.read(self._handle, 8192)
            except BrokenPipeError:  # records were overwritten; the next ones are readable
                continue
            except OSError:
                break
            if not record:
                break
            text = record.decode("utf-8", "replace").split(";", 1)[-1].split("\n")[0]
            if any(marker in text for marker in MARKERS):
                found.append(text[:LIMIT])
        return found

    def close(self) -> None:
        """Close the log."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
