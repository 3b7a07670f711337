"""An index whose owner means harm, or is careless: what it sends goes nowhere that it must not."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from rdna1_lock import toml
from rdna1_lock.index import http
from support.replica import replica_options
from support.server import Entry, Handler, Server
from support.wheels import Spec, make_wheel

A = make_wheel(Spec("a", "1.0"))
OLD = make_wheel(Spec("a", "0.9"))


def json_page(*files: dict[str, Any], **more: Any) -> bytes:
    return json.dumps(
        {"meta": {"api-version": "1.1"}, "name": "a", "files": files, **more}
    ).encode()


def entry(server: Server, wheel=A, **more: Any) -> dict[str, Any]:
    return {
        "filename": wheel.filename,
        "url": f"{server.base}/files/{wheel.filename}",
        "hashes": {"sha256": wheel.sha256},
        **more,
    }


def serve_page(
    server: Server, body: bytes, kind: str = "application/vnd.pypi.simple.v1+json"
) -> None:
    def answer(handler: Handler) -> bool:
        handler.answer(200, body, {"Content-Type": kind})
        return True

    server.faults["/x/simple/a/"] = answer


def serve_wheel(server: Server, wheel=A) -> None:
    def answer(handler: Handler) -> bool:
        handler.send_content(wheel.content, ranges=True)
        return True

    server.faults[f"/files/{wheel.filename}"] = answer


@pytest.fixture
def resolve(server: Server, run):
    for wheel in (A, OLD):
        serve_wheel(server, wheel)

    def call(*more: object):
        return run(
            "resolve", "a", "--index-url", f"{server.base}/x/simple", "-o", "pylock.toml", *more
        )

    return call


def locked() -> dict[str, Any]:
    [package] = toml.loads(Path("pylock.toml").read_text())["packages"]
    return dict(package)


EVIL = "0" * 64


@pytest.mark.parametrize(
    "tail",
    [
        "?${HOME} --hash=sha256:" + EVIL,
        "?x --hash=sha256:" + EVIL,
        "?\\",
        "?'\"`$(touch X)",
        "?<b>",
        "?%0a",
    ],
)
def test_a_url_brings_no_second_option(server, run, tail):
    """A ROCm wheel stands in requirements.txt by URL, where pip expands and splits."""
    options = replica_options(server)
    [torch] = [
        one
        for one in server.indexes["rocm"].projects["torch"]
        if one.filename.startswith("torch-1.13.1+rocm5.2-cp310")
    ]
    torch.metadata = None
    torch.stated["url"] = f"/rocm/files/{quote(torch.filename)}" + html.escape(tail)
    result = run("resolve", "torch", *options, "--output-dir", "lock")
    assert result.status == 0, result.err
    lines = Path("lock/requirements.txt").read_text().splitlines()
    words = " ".join(line for line in lines if not line.startswith("#")).split()
    [url] = [word for word in words if word.startswith("http")]
    assert f"--hash=sha256:{hashlib.sha256(torch.content).hexdigest()}" in words
    assert f"--hash=sha256:{EVIL}" not in words
    assert not set(url) & set(' {}"`<>\\^|')
    assert run("fetch", "lock").status == 0


@pytest.mark.parametrize(
    "name",
    [
        "a-1.0-py3-none-any.whl\nevil",
        "../a-1.0-py3-none-any.whl",
        "a-1.0 -py3-none-any.whl",
        "\x1b[2J",
    ],
)
def test_a_file_name_with_more_than_a_name_is_left_out(server, resolve, name):
    serve_page(server, json_page(entry(server, filename=name), entry(server, OLD)))
    assert resolve().status == 0
    assert locked()["version"] == "0.9"


def test_base_cannot_lead_from_https_to_http():
    from rdna1_lock.index.parse import parse_page

    page = b'<base href="http://evil.example/"><a href="a-1.0-py3-none-any.whl">a</a>'
    assert parse_page(page, "text/html", "https://a.example/simple/a/") == ()
    assert parse_page(page, "text/html", "http://a.example/simple/a/") != ()


def test_a_hash_among_other_keys_of_a_fragment_counts(server, resolve):
    page = f'<a href="/files/{A.filename}#egg=a&amp;sha256={A.sha256}">a</a>'
    serve_page(server, page.encode(), "text/html")
    assert resolve().status == 0
    assert locked()["wheels"][0]["hashes"]["sha256"] == A.sha256
    assert not server.paths(f"/files/{A.filename}.metadata")


@pytest.mark.parametrize("algorithm", ["sha512", "md5", "sha1"])
@pytest.mark.parametrize("right", [True, False])
def test_a_hash_of_another_algorithm_is_checked(server, resolve, algorithm, right):
    digest = hashlib.new(algorithm, A.content).hexdigest()
    stated = digest if right else "0" * len(digest)
    serve_page(server, json_page(entry(server, hashes={algorithm: stated})))
    result = resolve()
    if right:
        assert result.status == 0, result.err
        assert locked()["wheels"][0]["hashes"] == {"sha256": A.sha256}
    else:
        assert (result.status, result.code) == (5, "hash-mismatch"), result.err
        assert f"{algorithm} {digest}" in " ".join(result.err.split())


def test_a_requirement_with_another_algorithm_is_refused_not_dropped(run):
    Path("r.txt").write_text(f"a==1.0 --hash=sha512:{'0' * 128}\n")
    result = run("resolve", "-r", "r.txt")
    assert (result.status, result.code) == (3, "bad-hash")


def test_metadata_of_one_index_never_stands_for_another_index_s_wheel(server: Server, run):
    """A page that states somebody else's wheel hash must not decide what that wheel needs."""
    real = make_wheel(Spec("a", "1.0", ("b",)))
    good = server.index("good", metadata_files=True)
    good.add_wheel("a", real)
    good.add(Spec("b", "1.0"))
    bad = server.index("bad")
    bad.add_wheel("a", A)
    [planted] = bad.projects["a"]
    planted.stated["sha256"] = real.sha256
    server.faults[f"/bad/files/{A.filename}.metadata"] = lambda h: h.answer(200, A.metadata) or True
    first = run("resolve", "a", "--index-url", server.url("bad"), "-o", "pylock.bad.toml")
    assert first.status in {0, 5}
    second = run("resolve", "a", "--index-url", server.url("good"), "-o", "pylock.toml")
    assert second.status == 0, second.err
    names = [package["name"] for package in toml.loads(Path("pylock.toml").read_text())["packages"]]
    assert names == ["a", "b"]


def test_upgrade_asks_again_for_pages_that_are_fresh(server: Server, run):
    index = server.index("pypi", metadata_files=False)
    index.add(Spec("a", "1.0"))

    def fresh(handler: Handler) -> bool:
        body, kind, _ = index.rendered("a", as_json=True)
        handler.answer(200, body, {"Content-Type": kind, "Cache-Control": "max-age=600"})
        return True

    server.faults["/pypi/simple/a/"] = fresh
    arguments = ("resolve", "a", "--index-url", server.url("pypi"), "-o", "pylock.toml")
    assert run(*arguments).status == 0
    index.add(Spec("a", "2.0"))
    assert run(*arguments, "-P", "a").status == 0
    assert locked()["version"] == "1.0"
    assert run(*arguments, "-U").status == 0
    assert locked()["version"] == "2.0"


# --- credentials ---------------------------------------------------------------------------

SECRET = "s3cr3t"


def authenticated(handler: Handler) -> bool:
    expected = "Basic " + base64.b64encode(f"user:{SECRET}".encode()).decode()
    if handler.headers.get("Authorization") == expected:
        handler.send_content(A.content, ranges=True)
    else:
        handler.answer(401, b"")
    return True


@pytest.mark.parametrize("kind", ["argument", "file", "constraint", "false marker"])
def test_credentials_of_a_url_are_used_and_never_written(server: Server, run, kind):
    path = f"/private/{A.filename}"
    server.faults[path] = authenticated
    server.index("pypi")
    url = f"{server.base}{path}"
    secret = url.replace("://", f"://user:{SECRET}@")
    arguments: list[object] = ["--index-url", server.url("pypi"), "--output-dir", "lock"]
    if kind == "argument":
        arguments.append(f"a @ {secret}")
    elif kind == "file":
        Path("r.txt").write_text(f"a @ {secret}\n")
        arguments += ["-r", "r.txt"]
    elif kind == "constraint":
        Path("c.txt").write_text(f"a @ {secret}\n")
        arguments += ["a", "-c", "c.txt"]
    else:
        arguments += [f"a @ {secret}", f"b @ {secret} ; python_version < '3'"]
    result = run("resolve", *arguments)
    assert result.status == 0, result.err
    written = "".join(file.read_text() for file in Path("lock").iterdir())
    assert SECRET not in written + result.err + result.out
    assert url in written


@pytest.mark.parametrize(
    "arguments",
    [
        ["a @ https://user:s3cr3t@127.0.0.1:9/a-1.0-py3-none-any.whl"],
        ["a @ https://user:s3cr3t@127.0.0.1:9/b-1.0-py3-none-any.whl"],
        ["a @ https://user:s3cr3t@127.0.0.1:9/a.tar.gz"],
        ["a @ git+https://user:s3cr3t@127.0.0.1:9/a"],
        ["https://user:s3cr3t@127.0.0.1:9/nothing"],
        ["a @ https://user:s3cr3t@[x/a-1.0-py3-none-any.whl"],
        ["a", "--index-url", "https://user:s3cr3t@127.0.0.1:9/simple"],
        ["a", "--index-url", "ftp://user:s3cr3t@127.0.0.1:9/simple"],
        ["torch", "--no-catalogue", "--rocm-index-url", "https://user:s3cr3t@127.0.0.1:9/simple"],
        ["a", "--find-links", "https://user:s3cr3t@127.0.0.1:9/wheels"],
        ["a>=https://user:s3cr3t@127.0.0.1:9"],
        ["a", "--index-url", "https://127.0.0.1:9/simple?token=s3cr3t"],
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_no_error_tells_a_password(run, arguments, as_json):
    result = (
        run(
            "resolve",
            *arguments,
            *(["--json"] if as_json else []),
            "--index-url",
            "https://127.0.0.1:9/s",
        )
        if "--index-url" not in arguments
        else run("resolve", *arguments, *(["--json"] if as_json else []))
    )
    assert result.status in {1, 2, 3, 4}, result.err
    assert SECRET not in result.err + result.out


def test_a_redirect_with_credentials_is_followed_and_not_told(server: Server, run):
    path = f"/private/{A.filename}"
    server.faults[path] = authenticated

    def redirect(handler: Handler) -> bool:
        target = f"{server.base}{path}".replace("://", f"://user:{SECRET}@")
        handler.answer(302, b"", {"Location": target})
        return True

    server.faults[f"/public/{A.filename}"] = redirect
    server.index("pypi")
    url = f"{server.base}/public/{A.filename}"
    result = run("resolve", f"a @ {url}", "--index-url", server.url("pypi"), "-o", "pylock.toml")
    assert result.status == 0, result.err
    assert SECRET not in Path("pylock.toml").read_text() + result.err


# --- bounds --------------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(http, "TIMEOUT", (1.0, 1.0))
    monkeypatch.setattr(http, "REQUEST_SECONDS", 2.0)


class Raw:
    """A server of bytes: each connection gets a generator of chunks, with pauses between."""

    def __init__(self, chunks: Callable[[], Any], pause: float) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._stop = threading.Event()
        self._chunks, self._pause = chunks, pause
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/simple"

    def _serve(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        end = time.monotonic() + 30
        with connection:
            try:
                connection.recv(65536)
                for chunk in self._chunks():
                    connection.sendall(chunk)
                    if self._stop.wait(self._pause) or time.monotonic() > end:
                        return
            except OSError:
                return

    def close(self) -> None:
        self._stop.set()
        self._socket.close()


def forever(first: bytes, more: bytes):
    def chunks():
        yield first
        while True:
            yield more

    return chunks


@pytest.mark.parametrize(
    ("chunks", "pause"),
    [
        (forever(b"HTTP/1.1 200 OK\r\n", b"X"), 0.2),
        (forever(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"), 0.2),
        (forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), 0.001),
        (forever(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"), 0.001),
        (forever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"), 0.2),
        (forever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"), 0.2),
        (forever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"A: b\r\n"), 0.05),
        (forever(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x"), 0.2),
    ],
    ids=["header", "headers", "continue", "hints", "chunk size", "chunks", "trailers", "body"],
)
def test_no_server_holds_a_request_for_ever(run, impatient, chunks, pause):
    raw = Raw(chunks, pause)
    started = time.monotonic()
    try:
        result = run("resolve", "a", "--index-url", raw.url)
    finally:
        raw.close()
    assert result.status == 4, result.err
    assert result.code in {"too-slow", "unreachable", "not-an-index", "http-status"}
    assert time.monotonic() - started < 15


def test_a_server_that_answers_only_416_is_given_up(server: Server, run, impatient):
    index = server.index("pypi")
    index.add_wheel("a", A)
    assert (
        run("resolve", "a", "--index-url", server.url("pypi"), "--output-dir", "lock").status == 0
    )
    server.faults[f"/pypi/files/{A.filename}"] = lambda h: h.answer(416, b"") or True
    result = run("fetch", "lock")
    assert (result.status, result.code) == (4, "http-status"), result.err
    assert len(server.paths(A.filename)) < 20


@pytest.mark.parametrize(
    "text",
    [b"<a " * 20_000, b"<!--" * 20_000, b"<a x='" * 20_000, b"<script>" * 20_000, b"<" * 60_000,
     b"<a " + b"x " * 30_000, b"<a/" * 20_000, b"<a =" * 20_000],
)  # fmt: skip
def test_html_is_read_in_one_pass(server, resolve, text):
    serve_page(server, text, "text/html")
    started = time.monotonic()
    assert resolve().status == 4
    assert time.monotonic() - started < 5


def test_twenty_thousand_twins_are_compared_in_one_pass(server, resolve):
    serve_page(server, json_page(*[entry(server) for _ in range(20_000)]))
    started = time.monotonic()
    assert resolve().status == 0
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "body", [b"[" * 900_000, b"{}," * 900_000, b'{"files":[' + b"[]," * 900_000]
)
def test_a_page_of_brackets_is_refused_before_it_is_read(server, resolve, body):
    serve_page(server, b'{"files":[' + body)
    result = resolve()
    assert (result.status, result.code) == (4, "not-an-index"), result.err


def test_files_that_name_each_other_twice_over_are_given_up(run):
    for number in range(40):
        Path(f"{number}.txt").write_text(f"-r {number + 1}.txt\n-r {number + 1}.txt\n")
    Path("40.txt").write_text("a\n")
    started = time.monotonic()
    result = run("resolve", "-r", "0.txt")
    assert (result.status, result.code) == (3, "file-loop")
    assert time.monotonic() - started < 5


# --- metadata ------------------------------------------------------------------------------


def with_metadata(server: Server, text: bytes) -> None:
    body = b"Metadata-Version: 2.1\nName: a\nVersion: 1.0\n" + text
    index = server.index("pypi", metadata_files=True)
    index.projects["a"] = [Entry(A.filename, A.content, body)]
    for name in ("b", "c"):
        index.add(Spec(name, "1.0"))
        index.add(Spec(name, "1.20"))


def names_locked(run, server) -> dict[str, str]:
    result = run("resolve", "a", "--index-url", server.url("pypi"), "-o", "pylock.toml")
    assert result.status == 0, result.err
    return {
        p["name"]: p["version"] for p in toml.loads(Path("pylock.toml").read_text())["packages"]
    }


@pytest.mark.parametrize(
    "text",
    [
        b"Requires-Dist: b\nAuthor: Andr\xe9\nRequires-Dist: c\n",
        b"Requires-Dist: b\nRequires-Dist: c ; extra != '\xe9'\n",
        b"Requires-Dist: b\nRequires-Dist: c\n\nAndr\xe9\n",
        b"Requires-Dist: b\r\nRequires-Dist: c\r\n\r\n",
        b"Requires-Dist: b\nSummary: x\n  more\nRequires-Dist:\n c\n",
        b"requires-dist: b\nREQUIRES-DIST: c\n",
    ],
)
def test_one_odd_byte_drops_no_dependency(server, run, text):
    with_metadata(server, text)
    assert set(names_locked(run, server)) == {"a", "b", "c"}


def test_a_doubled_requires_python_still_binds(server, run):
    with_metadata(server, b"Requires-Python: >=3.11\nRequires-Python: >=3.11\n")
    result = run("resolve", "a", "--index-url", server.url("pypi"))
    assert (result.status, result.code) == (1, "no-solution")


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("b (>=1.10.*)", "1.20"),
        ("b (<1.10.*)", "1.0"),
        ("b (>=1.0 <1.10)", "1.0"),
        ("b >=1.0<1.10", "1.0"),
        ("b (>=1.0,)", "1.20"),
        ("b (!=1.20*)", "1.0"),
        ("b (>='1.10')", "1.20"),
    ],
)
def test_legacy_specifiers_are_read_as_they_were_meant(server, run, text, version):
    with_metadata(server, f"Requires-Dist: {text}\n".encode())
    result = run("resolve", "a", "--index-url", server.url("pypi"), "-o", "pylock.toml")
    assert result.status == 0, result.err
    packages = {p["name"]: p for p in toml.loads(Path("pylock.toml").read_text())["packages"]}
    assert packages["b"]["version"] == version
    if text != "b (>=1.0,)":
        assert packages["a"]["tool"]["rdna1-lock"] == {"legacy-metadata": True}
        assert "pip from 24.1 on refuses" in " ".join(result.err.split())


def test_where_a_version_without_legacy_metadata_fits_it_is_preferred(server, run):
    with_metadata(server, b"Requires-Dist: b (>=1.0.*)\n")
    server.indexes["pypi"].add(Spec("a", "0.9", ("b",)))
    assert names_locked(run, server)["a"] == "0.9"
    result = run("resolve", "a==1.0", "--index-url", server.url("pypi"), "-o", "pylock.toml")
    assert result.status == 0, result.err


# --- no way to exit 70 from input ----------------------------------------------------------

HUGE = "9" * 5000
SHAPES: dict[str, Any] = {
    "files is a number": 3,
    "an entry is a list": [[]],
    "a name is a number": [{"filename": 3, "url": "x"}],
    "a name is a surrogate": [{"filename": "\ud800-1.0-py3-none-any.whl", "url": "x"}],
    "a version of many digits": [{"filename": f"a-{HUGE}-py3-none-any.whl", "url": "x"}],
    "a build tag of many digits": [{"filename": f"a-1.0-{'1' * 200}-py3-none-any.whl", "url": "x"}],
    "a url is null": [{"filename": A.filename, "url": None}],
    "a url is a surrogate": [{"filename": A.filename, "url": "http://h.example/\ud800"}],
    "a url with a bad port": [{"filename": A.filename, "url": "http://h.example:99999999/x"}],
    "hashes is a list": [{"filename": A.filename, "url": "/x", "hashes": ["sha256"]}],
    "a hash is a number": [{"filename": A.filename, "url": "/x", "hashes": {"sha256": 3}}],
    "a hash is a table": [{"filename": A.filename, "url": "/x", "hashes": {"sha256": {}}}],
    "requires-python is a list": [{"filename": A.filename, "url": "/x", "requires-python": []}],
    "requires-python has many digits": [{"filename": A.filename, "url": "/x", "requires-python": f">={HUGE}"}],
    "yanked is a table": [{"filename": A.filename, "url": "/x", "yanked": {}}],
    "yanked with escapes": [{"filename": A.filename, "url": "/x", "yanked": "\x1b]0;x\x07\n\u202e"}],
    "upload-time is a number": [{"filename": A.filename, "url": "/x", "upload-time": 3}],
    "upload-time in another year": [{"filename": A.filename, "url": "/x", "upload-time": "9999-99-99T99:99:99Z"}],
    "a huge size": [{"filename": A.filename, "url": "/x", "size": 10**400}],
    "a size below zero": [{"filename": A.filename, "url": "/x", "size": -1}],
    "a size that is true": [{"filename": A.filename, "url": "/x", "size": True}],
    "core-metadata is a list": [{"filename": A.filename, "url": "/x", "core-metadata": []}],
    "core-metadata is a number": [{"filename": A.filename, "url": "/x", "core-metadata": {"sha256": 3}}],
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_one_odd_entry_never_spoils_the_others(server, resolve, name, monkeypatch):
    monkeypatch.delenv("RDNA1_LOCK_DEBUG")
    files = SHAPES[name]
    odd = files if isinstance(files, list) else []
    serve_page(server, json_page(*odd, entry(server, OLD)))
    result = resolve("--exclude-newer", "2030-01-01") if "upload" in name else resolve()
    if "upload" in name:
        assert result.status == 1, result.err
    else:
        # An entry for 1.0 that has no file behind it is passed over, with its reason.
        assert result.status in {0, 4}, result.err
    assert result.status != 70
    assert "Traceback" not in result.err
    assert "\x1b" not in result.err


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("no zip", b"no zip"),
        ("empty", b""),
        ("cut off", A.content[:-30]),
        ("half", A.content[: len(A.content) // 2]),
    ],
)
def test_a_broken_release_is_passed_over(server: Server, run, kind, content):
    index = server.index("pypi")
    index.projects["a"] = [Entry(A.filename, content)]
    index.add(Spec("a", "0.9"))
    assert names_locked(run, server) == {"a": "0.9"}


@pytest.mark.parametrize("method", ["ZIP_LZMA", "ZIP_BZIP2", "ZIP_STORED"])
@pytest.mark.parametrize("damage", [False, True])
def test_every_compression_is_read_or_passed_over(server: Server, run, method, damage):
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", getattr(zipfile, method)) as archive:
        archive.writestr("a-1.0.dist-info/METADATA", A.metadata * (50 if damage else 1))
        archive.writestr("a-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
        archive.writestr("a-1.0.dist-info/RECORD", "")
    content = bytearray(buffer.getvalue())
    if damage:
        for at in range(70, 120):
            content[at] ^= 0x5A
    index = server.index("pypi")
    index.projects["a"] = [Entry(A.filename, bytes(content))]
    index.add(Spec("a", "0.9"))
    found = names_locked(run, server)
    assert found == ({"a": "0.9"} if damage else {"a": "1.0"})
