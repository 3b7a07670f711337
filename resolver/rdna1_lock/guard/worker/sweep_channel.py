"""A worker's side of its private pipes: phases, results, heartbeats, stacks. Standard library only.

Standard output is no channel: MIOpen, HIP and Python all print there.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import json
import os
import resource
import signal
import threading
import time
from typing import Any

SETTINGS = "RDNA1_LOCK_WORKER"
PR_SET_PDEATHSIG = 1
PR_SET_PTRACER = 0x59616D61
ANY_TRACER = ctypes.c_ulong(-1).value


class Channel:
    """What the parent reads: one JSON object a line on the result pipe, stacks on the other."""

    def __init__(self) -> None:
        settings = json.loads(os.environ[SETTINGS])
        self.task: dict[str, Any] = settings["task"]
        self._result: int = settings["result_fd"]
        self._evidence: int = settings["evidence_fd"]
        self._parent: int = settings["parent"]
        self._budget: dict[str, float] = settings["budget"]
        self._beat: float = settings["heartbeat"]
        self._lock = threading.Lock()

    def open(self) -> None:
        """Arm everything that later tells a hang from work; before any import that can hang."""
        libc = ctypes.CDLL(None)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != self._parent:
            os._exit(99)
        libc.prctl(PR_SET_PTRACER, ANY_TRACER, 0, 0, 0)
        # 1 rather than 0: the kernel then refuses piped core handlers too.
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
        faulthandler.enable(file=self._evidence, all_threads=True)
        faulthandler.register(signal.SIGUSR1, file=self._evidence, all_threads=True, chain=False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1, signal.SIGTERM})
        threading.Thread(target=self._heart, daemon=True, name="heartbeat").start()

    def phase(self, name: str, case: str | None = None) -> None:
        """Announce what comes next, and have all stacks written shortly before its deadline.

        That watchdog is a thread in C: it needs neither the GIL nor a signal, which would wake
        a blocked call.
        """
        self.send({"phase": name, "case": case})
        limit = self._budget.get(name, 60.0)
        before = max(0.2, limit - max(0.5, 0.05 * limit))
        faulthandler.dump_traceback_later(before, file=self._evidence)

    def result(self, value: dict[str, Any]) -> None:
        """Send the last word; what follows is teardown."""
        faulthandler.cancel_dump_traceback_later()
        self.send({"result": value})

    def send(self, message: dict[str, Any]) -> None:
        """Write one line; a NaN is refused, since JSON has none."""
        data = json.dumps(message, allow_nan=False).encode() + b"\n"
        with self._lock:
            while data:
                data = data[os.write(self._result, data) :]

    def _heart(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.send({"beat": True})
                time.sleep(self._beat)
        os._exit(98)
