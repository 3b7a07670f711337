"""A ROCm index on loopback that has the repacked torch and torchvision, and nothing else."""

from __future__ import annotations

import html
import re
import threading
import zipfile
from contextlib import contextmanager
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from tools.torch_wheels import rocm_named_wheels, sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def rocm_index() -> Iterator[str]:
    """Serve the wheels' names, hashes and metadata (PEP 503, PEP 658); yields the URL.

    The wheels themselves lie in a folder that ``sync`` is given.
    """
    answers = _answers()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answers.get(self.path)
            self.send_response(HTTPStatus.OK if body else HTTPStatus.NOT_FOUND)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simple"
    finally:
        server.shutdown()
        server.server_close()


def _answers() -> dict[str, bytes]:
    found = {}
    for name, path in rocm_named_wheels().items():
        file = path.name.replace("+", "%2B")
        link = (
            f'<a href="/files/{file}#sha256={_hash(path)}" data-core-metadata="true"'
            f' data-requires-python="&gt;=3.7">{html.escape(path.name)}</a>'
        )
        found[f"/simple/{name}/"] = f"<!DOCTYPE html><html><body>{link}</body></html>".encode()
        found[f"/files/{file}.metadata"] = _metadata(path)
    return found


@cache
def _hash(path: Path) -> str:
    """Hash a wheel once, and keep the hash beside it: it has 1.9 GB."""
    kept = path.with_suffix(".sha256")
    if not kept.exists():
        kept.write_text(sha256_of(path))
    return kept.read_text()


def _metadata(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        [name] = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        text = archive.read(name).decode()
    return re.sub(r"^Requires-Dist: .*extra ==.*\n", "", text, flags=re.MULTILINE).encode()
