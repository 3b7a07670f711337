"""One clock for a whole request: connecting, headers, body, redirects, and every pause between.

The HTTP library's timeouts are for one read each, so a server that sends a byte now and then, a
header at a time, or "100 Continue" for ever is never too slow for them. When the clock of a request
runs out, its connection is shut down under it, whatever it waits for.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    from collections.abc import Iterator


class Clock:
    """The time that one request may take; ``expired`` says that it took longer."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.ends = time.monotonic() + seconds
        self.expired = False
        self.connection: Any = None

    def renew(self) -> None:
        """Give the same time again: something worth waiting for has come."""
        self.ends = time.monotonic() + self._seconds

    def stop(self) -> None:
        """Shut the connection down; what waits for it fails at once."""
        self.expired = True
        sock = getattr(self.connection, "sock", None)
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class Clocks:
    """The clocks of all requests under way, watched by one thread while there are any."""

    def __init__(self) -> None:
        self._running: set[Clock] = set()
        self._changed = threading.Condition()
        self._watcher: threading.Thread | None = None

    @contextlib.contextmanager
    def of(self, seconds: float) -> Iterator[Clock]:
        """Run a clock for the request that this thread makes."""
        clock = Clock(seconds)
        _CURRENT.clock = clock
        with self._changed:
            self._running.add(clock)
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._watch, name="clocks", daemon=True)
                self._watcher.start()
            self._changed.notify()
        try:
            yield clock
        finally:
            _CURRENT.clock = None
            with self._changed:
                self._running.discard(clock)
                self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while self._running:
                now = time.monotonic()
                for clock in [one for one in self._running if one.ends <= now]:
                    clock.stop()
                    # A new connection of the same request must not live longer than this one.
                    clock.ends = now + 1.0
                nearest = min(clock.ends for clock in self._running)
                self._changed.wait(max(0.05, nearest - now))
            self._watcher = None


_CURRENT = threading.local()


class _Clocked:
    """A connection that tells the clock of its thread which socket to shut down."""

    def connect(self) -> None:
        clock = getattr(_CURRENT, "clock", None)
        if clock is not None and clock.expired:
            raise TimeoutError("the time for this request is over")
        super().connect()  # type: ignore[misc]
        self._attach()

    def request(self, *arguments: Any, **more: Any) -> None:
        # A kept-alive connection is not connected again.
        self._attach()
        super().request(*arguments, **more)  # type: ignore[misc]

    def _attach(self) -> None:
        clock = getattr(_CURRENT, "clock", None)
        if clock is not None:
            clock.connection = self


class _Plain(_Clocked, HTTPConnection):
    pass


class _Secure(_Clocked, HTTPSConnection):
    pass


class PlainPool(HTTPConnectionPool):
    """Connections by http, each on the clock of its request."""

    ConnectionCls = _Plain


class SecurePool(HTTPSConnectionPool):
    """Connections by https, each on the clock of its request."""

    ConnectionCls = _Secure
