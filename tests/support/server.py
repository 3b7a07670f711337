"""A simple index on loopback: real HTTP, real pages, with a log and with faults on request."""

from __future__ import annotations

import gzip
import hashlib
import html
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from support.wheels import Spec, WheelFile, make_wheel


@dataclass
class Entry:
    """A file on a page; ``stated`` overrides what the page says of it."""

    filename: str
    content: bytes
    metadata: bytes | None = None
    requires_python: str | None = None
    yanked: bool | str = False
    upload_time: str | None = None
    stated: dict[str, Any] = field(default_factory=dict)


@dataclass
class Style:
    """How an index speaks."""

    kind: str = "json"  # json, html or pytorch
    hashes: bool = True
    metadata_files: bool = False
    ranges: bool = True
    compress: bool = True
    etag: bool = True
    latency: float = 0.0
    absent: int = 404
    # A page that does not change is written once: a benchmark is not about this server.
    frozen: bool = False


@dataclass
class Simple:
    """One index below ``/<name>/simple/``."""

    name: str
    style: Style = field(default_factory=Style)
    projects: dict[str, list[Entry]] = field(default_factory=dict)
    pages: dict[tuple[str, bool], tuple[bytes, str, bytes | None]] = field(default_factory=dict)

    def add(self, spec: Spec, **more: Any) -> Entry:
        wheel = make_wheel(spec)
        return self.add_wheel(spec.name, wheel, requires_python=spec.requires_python, **more)

    def add_wheel(self, project: str, wheel: WheelFile, **more: Any) -> Entry:
        entry = Entry(wheel.filename, wheel.content, wheel.metadata, **more)
        self.projects.setdefault(re.sub(r"[-_.]+", "-", project).lower(), []).append(entry)
        return entry

    def add_sdist(self, project: str, version: str) -> None:
        name = re.sub(r"[-_.]+", "-", project).lower()
        entry = Entry(f"{project.replace('-', '_')}-{version}.tar.gz", b"no archive")
        self.projects.setdefault(name, []).append(entry)

    def rendered(self, name: str, *, as_json: bool) -> tuple[bytes, str, bytes | None]:
        """Return a page, its content type, and its compressed form if the page is frozen."""
        if (name, as_json) in self.pages:
            return self.pages[name, as_json]
        entries = self.projects[name]
        if as_json:
            body, kind = _json_page(self, name, entries), "application/vnd.pypi.simple.v1+json"
        elif self.style.kind == "pytorch":
            body, kind = _pytorch_page(self, name, entries), "text/html"
        else:
            body, kind = _html_page(self, name, entries), "text/html; charset=utf-8"
        if not self.style.frozen:
            return body, kind, None
        self.pages[name, as_json] = body, kind, gzip.compress(body, 6, mtime=0)
        return self.pages[name, as_json]


Fault = Callable[["Handler"], bool]


class Server:
    """Serves indexes until closed; ``faults`` may answer a path in their own way."""

    def __init__(self) -> None:
        self.indexes: dict[str, Simple] = {}
        self.faults: dict[str, Fault] = {}
        self.log: list[tuple[str, str | None]] = []
        self.headers: list[dict[str, str]] = []
        self.sent = 0
        self.inflight = 0
        self.most_inflight = 0
        self.lock = threading.Lock()
        outer = self

        class Bound(Handler):
            server_state = outer

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that goes away is part of the tests."""

        self._http = Quiet(("127.0.0.1", 0), Bound)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def index(self, name: str, **style: Any) -> Simple:
        self.indexes[name] = Simple(name, Style(**style))
        return self.indexes[name]

    def url(self, name: str) -> str:
        return f"{self.base}/{name}/simple"

    def paths(self, ending: str = "") -> list[str]:
        return [path for path, _ in self.log if path.endswith(ending)]

    def forget(self) -> None:
        self.log.clear()
        self.headers.clear()
        self.sent = 0
        self.most_inflight = 0

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


class Handler(BaseHTTPRequestHandler):
    server_state: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """No chatter."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        state = self.server_state
        with state.lock:
            state.inflight += 1
            state.most_inflight = max(state.most_inflight, state.inflight)
        try:
            self._serve(state)
        finally:
            with state.lock:
                state.inflight -= 1

    def _serve(self, state: Server) -> None:
        path = urlsplit(self.path).path
        with state.lock:
            state.log.append((path, self.headers.get("Range")))
            state.headers.append({key.lower(): value for key, value in self.headers.items()})
        fault = state.faults.get(path)
        if fault is not None and fault(self):
            return
        parts = path.strip("/").split("/")
        index = state.indexes.get(parts[0])
        if index is None:
            self.answer(404, b"no index")
            return
        if index.style.latency:
            time.sleep(index.style.latency)
        if parts[1:2] == ["simple"] and len(parts) == 3 and path.endswith("/"):
            self._page(index, parts[2])
        elif parts[1:2] == ["files"] and len(parts) == 3:
            self._file(index, unquote(parts[2]))
        else:
            self.answer(index.style.absent, b"nothing here")

    def _page(self, index: Simple, name: str) -> None:
        if name not in index.projects:
            self.answer(index.style.absent, b"no project")
            return
        wants_json = index.style.kind == "json" and "json" in self.headers.get("Accept", "")
        body, kind, packed = index.rendered(name, as_json=wants_json)
        headers = {"Content-Type": kind}
        if index.style.etag:
            tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            headers["ETag"] = tag
            if self.headers.get("If-None-Match") == tag:
                self.answer(304, b"", headers)
                return
        if index.style.compress and "gzip" in self.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
            body = packed or gzip.compress(body, 6, mtime=0)
        self.answer(200, body, headers)

    def _file(self, index: Simple, filename: str) -> None:
        for entries in index.projects.values():
            for entry in entries:
                if entry.filename == filename:
                    self.send_content(entry.content, ranges=index.style.ranges)
                    return
                if entry.filename + ".metadata" == filename and index.style.metadata_files:
                    self.answer(200, entry.metadata or b"")
                    return
        self.answer(index.style.absent, b"no file")

    def send_content(self, content: bytes, *, ranges: bool) -> None:
        match = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if not ranges or not match:
            self.answer(200, content)
            return
        size = len(content)
        start = int(match[1]) if match[1] else max(0, size - int(match[2]))
        end = min(size, int(match[2]) + 1) if match[1] and match[2] else size
        if start >= size:
            self.answer(416, b"", {"Content-Range": f"bytes */{size}"})
            return
        headers = {"Content-Range": f"bytes {start}-{end - 1}/{size}"}
        self.answer(206, content[start:end], headers)

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with self.server_state.lock:
            self.server_state.sent += len(body)
        if self.command != "HEAD":
            self.wfile.write(body)


def _facts(index: Simple, entry: Entry) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "url": f"/{index.name}/files/{quote(entry.filename)}",
        "sha256": hashlib.sha256(entry.content).hexdigest() if index.style.hashes else None,
        "metadata": hashlib.sha256(entry.metadata).hexdigest()
        if entry.metadata and index.style.metadata_files
        else None,
    }
    return {**facts, **entry.stated}


def _json_page(index: Simple, name: str, entries: list[Entry]) -> bytes:
    files = []
    for entry in entries:
        facts = _facts(index, entry)
        file = {
            "filename": facts.get("filename", entry.filename),
            "url": facts["url"],
            "hashes": {"sha256": facts["sha256"]} if facts["sha256"] else {},
            "size": facts.get("size", len(entry.content)),
            "yanked": entry.yanked,
        }
        if entry.requires_python:
            file["requires-python"] = entry.requires_python
        if entry.upload_time:
            file["upload-time"] = entry.upload_time
        if facts["metadata"]:
            file["core-metadata"] = {"sha256": facts["metadata"]}
        files.append(file)
    page = {"meta": {"api-version": "1.1"}, "name": name, "versions": [], "files": files}
    return json.dumps(page).encode()


def _html_page(index: Simple, name: str, entries: list[Entry]) -> bytes:
    lines = [
        "<!DOCTYPE html><html><head><title>Links</title></head><body>",
        f"<h1>Links for {name}</h1>",
    ]
    for entry in entries:
        facts = _facts(index, entry)
        fragment = f"#sha256={facts['sha256']}" if facts["sha256"] else ""
        more = ""
        if entry.requires_python:
            more += f' data-requires-python="{html.escape(entry.requires_python)}"'
        if entry.yanked is not False:
            more += f' data-yanked="{html.escape(entry.yanked if isinstance(entry.yanked, str) else "")}"'
        if facts["metadata"]:
            more += f' data-core-metadata="sha256={facts["metadata"]}"'
        lines.append(
            f'<a href="{facts["url"]}{fragment}"{more}>{html.escape(entry.filename)}</a><br/>'
        )
    return "\n".join([*lines, "</body></html>"]).encode()


def _pytorch_page(index: Simple, name: str, entries: list[Entry]) -> bytes:
    """Write a page as pytorch/test-infra's s3_management writes it: no sizes, no bounds."""
    lines = ["<!DOCTYPE html>", "<html>", "  <body>", f"    <h1>Links for {name}</h1>"]
    for entry in entries:
        facts = _facts(index, entry)
        fragment = f"#sha256={facts['sha256']}" if facts["sha256"] else ""
        more = ""
        if facts["metadata"]:
            digest = facts["metadata"]
            more = (
                f' data-dist-info-metadata="sha256={digest}" data-core-metadata="sha256={digest}"'
            )
        lines.append(
            f'    <a href="{facts["url"]}{fragment}"{more} data-upload-time="2023-10-05T22:11:33Z">{entry.filename}</a><br/>'
        )
    return "\n".join([*lines, "  </body>", "</html>", "<!--TIMESTAMP 1696543210-->"]).encode()
