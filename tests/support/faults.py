"""Ways in which a server fails, each as a real answer on a real connection."""

from __future__ import annotations

import gzip
import socket
import struct
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support.server import Handler

Fault = Callable[["Handler"], bool]


def status(code: int, headers: dict[str, str] | None = None, times: int | None = None) -> Fault:
    """Answer with a status; after ``times`` answers all is well."""
    seen = [0]

    def fault(handler: Handler) -> bool:
        seen[0] += 1
        if times is not None and seen[0] > times:
            return False
        handler.answer(code, b"no", headers)
        return True

    return fault


def silence(seconds: float) -> Fault:
    """Say nothing for a while, then go away."""

    def fault(handler: Handler) -> bool:
        time.sleep(seconds)
        handler.close_connection = True
        return True

    return fault


def cut_off(content: bytes, after: int, times: int | None = None) -> Fault:
    """Promise the whole and send a part; after ``times`` all is well."""
    seen = [0]

    def fault(handler: Handler) -> bool:
        seen[0] += 1
        if times is not None and seen[0] > times:
            return False
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[:after])
        reset(handler)
        return True

    return fault


def reset(handler: Handler) -> None:
    handler.wfile.flush()
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def body(content: bytes, kind: str = "text/html", **headers: str) -> Fault:
    def fault(handler: Handler) -> bool:
        handler.answer(200, content, {"Content-Type": kind, **headers})
        return True

    return fault


def gzip_bomb(size: int) -> Fault:
    packed = gzip.compress(b" " * size, 9)
    return body(packed, "text/html", **{"Content-Encoding": "gzip"})


def endless(limit: int) -> Fault:
    """Send a page without end, as far as anybody reads it."""

    def fault(handler: Handler) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.send_header("Connection", "close")
        handler.end_headers()
        sent = 0
        while sent < limit:
            try:
                handler.wfile.write(b"<a href='x'>" * 87_381)
            except OSError:
                break
            sent += 2**20
        handler.close_connection = True
        return True

    return fault


def drip(content: bytes, pause: float) -> Fault:
    def fault(handler: Handler) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        for number in range(len(content)):
            try:
                handler.wfile.write(content[number : number + 1])
                handler.wfile.flush()
            except OSError:
                break
            time.sleep(pause)
        return True

    return fault


def redirect(to: str) -> Fault:
    def fault(handler: Handler) -> bool:
        handler.answer(302, b"", {"Location": to})
        return True

    return fault


def lying_range(content: bytes, shift: int) -> Fault:
    """Answer a range with another part than the one that was asked for."""

    def fault(handler: Handler) -> bool:
        if not handler.headers.get("Range"):
            return False
        part = content[: len(content) - shift]
        handler.answer(
            206, part, {"Content-Range": f"bytes {shift}-{len(content) - 1}/{len(content)}"}
        )
        return True

    return fault


def wrong_length(content: bytes, length: int) -> Fault:
    def fault(handler: Handler) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", str(length))
        handler.end_headers()
        handler.wfile.write(content)
        handler.wfile.flush()
        handler.close_connection = True
        return True

    return fault
