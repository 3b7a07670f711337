"""The fault matrix: one row a fault, with its exit status, and what is left behind: all of the old.

Every fault is a real answer of a real server on loopback. After each, the lock folder is as it was,
and the next run without the fault ends well.
"""

from __future__ import annotations

import gc
import json
import socket
import ssl
from pathlib import Path

import pytest
import trustme

from rdna1_lock.index import http
from support import faults
from support.replica import build_replica
from support.server import Server
from support.wheels import Spec, make_wheel

FOLDER = Path("locks/rocm5.2-cp310")
PAGE = "/pypi/simple/idna/"
IDNA = make_wheel(Spec("idna", "3.10", requires_python=">=3.6"))
FILE = f"/pypi/files/{IDNA.filename}"
SIMPLE = "application/vnd.pypi.simple.v1+json"


def page(*files: dict[str, object]) -> bytes:
    return json.dumps(
        {"meta": {"api-version": "1.1"}, "name": "idna", "files": list(files)}
    ).encode()


def entry(filename: str = IDNA.filename, **more: object) -> dict[str, object]:
    return {"filename": filename, "url": FILE, "hashes": {"sha256": IDNA.sha256}, **more}


BROKEN_ZIP = IDNA.content[:-40] + b"\x00" * 40
OTHER = make_wheel(Spec("idna", "3.10", metadata_name="other"))
OLDER = make_wheel(Spec("idna", "3.10", metadata_version="9"))

# name: (path, fault, exit status, error code or None, a piece of what is said)
MATRIX = {
    "401": (PAGE, faults.status(401), 4, "http-status", "wants credentials"),
    "403 on the default index": (PAGE, faults.status(403), 4, "http-status", "answered 403"),
    "404": (PAGE, faults.status(404), 1, "no-solution", "there is no project `idna`"),
    "429 for good": (
        PAGE,
        faults.status(429, {"Retry-After": "0"}),
        4,
        "http-status",
        "asks for a pause",
    ),
    "429, then well": (PAGE, faults.status(429, {"Retry-After": "1"}, times=1), 0, None, ""),
    "500 for good": (PAGE, faults.status(500), 4, "http-status", "in trouble"),
    "503, then well": (PAGE, faults.status(503, times=2), 0, None, ""),
    "timeout before the answer": (PAGE, faults.silence(1.5), 4, "unreachable", "no answer"),
    "timeout within the body": (PAGE, faults.drip(b"x" * 50, 0.9), 4, None, ""),
    "cut off for good": (PAGE, faults.cut_off(b"x" * 1000, 10), 4, "unreachable", PAGE),
    "cut off, then well": (PAGE, faults.cut_off(b"x" * 1000, 10, times=2), 0, None, ""),
    "Content-Length too large": (
        PAGE,
        faults.wrong_length(b"<a href=x>", 500),
        4,
        "unreachable",
        PAGE,
    ),
    "Content-Length too small": (
        PAGE,
        faults.wrong_length(page(entry()), 40),
        4,
        "not-an-index",
        "JSON",
    ),
    "redirect in a circle": (PAGE, faults.redirect(PAGE), 4, "unreachable", "circle"),
    "redirect to a file": (PAGE, faults.redirect("file:///etc/passwd"), 4, "unreachable", ""),
    "junk HTML": (
        PAGE,
        faults.body(b"<html>Welcome</html>"),
        4,
        "not-an-index",
        "without any link",
    ),
    "junk JSON": (PAGE, faults.body(b"{]", SIMPLE), 4, "not-an-index", "not valid JSON"),
    "an image": (PAGE, faults.body(b"\x89PNG", "image/png"), 4, "not-an-index", "image/png"),
    "gzip bomb": (PAGE, faults.gzip_bomb(80 * 2**20), 4, "answer-too-large", "more than 8 MiB"),
    "broken gzip": (
        PAGE,
        faults.body(b"\x1f\x8bjunk", "text/html", **{"Content-Encoding": "gzip"}),
        4,
        "unreachable",
        PAGE,
    ),
    "page of 200 MB": (PAGE, faults.endless(200 * 2**20), 4, "answer-too-large", "more than 8 MiB"),
    "scripts and entities in names": (
        PAGE,
        faults.body(
            b'<h1>Links for idna</h1><script>alert(1)</script><a href="&lt;b&gt;-1-py3-none-any.whl">&lt;b&gt;</a>'
        ),
        1,
        "no-solution",
        "idna",
    ),
    "path in a file name": (
        PAGE,
        faults.body(page(entry("../../idna-3.10-py3-none-any.whl")), SIMPLE),
        1,
        "no-solution",
        "idna",
    ),
    ".. as a file name": (PAGE, faults.body(page(entry("..")), SIMPLE), 1, "no-solution", "idna"),
    "NUL in a file name": (
        PAGE,
        faults.body(page(entry("idna-3.10-py3-none-any\0.whl")), SIMPLE),
        1,
        "no-solution",
        "idna",
    ),
    "link to another scheme": (
        PAGE,
        faults.body(page({**entry(), "url": "file:///etc/passwd"}), SIMPLE),
        1,
        "no-solution",
        "idna",
    ),
    "two hashes for one name": (
        PAGE,
        faults.body(page(entry(), entry(hashes={"sha256": "0" * 64})), SIMPLE),
        5,
        "hash-mismatch",
        "two sources state different hashes",
    ),
    "broken zip": (
        FILE,
        faults.body(BROKEN_ZIP, "application/zip"),
        1,
        "no-solution",
        "not a readable zip",
    ),
    "METADATA of another project": (
        FILE,
        faults.body(OTHER.content, "application/zip"),
        5,
        "hash-mismatch",
        "two sources state different hashes",
    ),
    "METADATA of another version": (
        FILE,
        faults.body(OLDER.content, "application/zip"),
        5,
        "hash-mismatch",
        "two sources state different hashes",
    ),
    "range lied about": (FILE, faults.lying_range(IDNA.content, 7), 1, "no-solution", ""),
    "range ignored": (FILE, faults.body(IDNA.content, "application/zip"), 0, None, ""),
    "range refused": (
        FILE,
        lambda h: bool(h.headers.get("Range")) and (h.answer(416, b"") or True),
        0,
        None,
        "",
    ),
    "wheel gone": (FILE, faults.status(404), 4, "http-status", "answered 404"),
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be as patient as a test can be."""
    monkeypatch.setattr(http, "TIMEOUT", (1.0, 0.6))
    monkeypatch.setattr(http, "PAGE_LIMIT", 8 * 2**20)
    monkeypatch.setattr(http, "REQUEST_SECONDS", 3.0)


def state(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", list(MATRIX))
def test_resolve(name: str, server: Server, run, tmp_path):
    path, fault, status, code, said = MATRIX[name]
    url, _ = build_replica(server, metadata_files=False)
    server.indexes["pypi"].projects["idna"] = []
    server.indexes["pypi"].add_wheel("idna", IDNA)
    options = ["--index-url", url, "idna", "-U", "--output-dir", str(FOLDER)]
    assert run("resolve", *options, "--cache-dir", tmp_path / "first").status == 0
    before = state(FOLDER)
    server.faults[path] = fault
    cache = tmp_path / "second"
    result = run("resolve", *options, "--cache-dir", cache)
    assert result.status == status, result.err
    if code is not None:
        assert result.code == code, result.err
    assert said in " ".join(result.err.split())
    assert "Traceback" not in result.err
    assert state(FOLDER) == before
    server.faults.clear()
    again = run("resolve", *options, "--cache-dir", cache)
    assert again.status == 0, again.err
    assert state(FOLDER) == before


FETCH = {
    "cut off once": (faults.cut_off(IDNA.content, 100, times=1), 0, None),
    "cut off for good": (faults.cut_off(IDNA.content, 0), 4, "unreachable"),
    "500 for good": (faults.status(500), 4, "http-status"),
    "404": (faults.status(404), 4, "http-status"),
    "other bytes": (faults.body(OTHER.content, "application/zip"), 5, None),
    "same size, other bytes": (
        faults.body(b"x" * len(IDNA.content), "application/zip"),
        5,
        "hash-mismatch",
    ),
    "too long": (faults.body(IDNA.content + b"x", "application/zip"), 5, "wheel-size"),
    "silence": (faults.silence(1.5), 4, "unreachable"),
    "redirect in a circle": (faults.redirect(FILE), 4, "unreachable"),
}


@pytest.mark.parametrize("name", list(FETCH))
def test_fetch(name: str, server: Server, run):
    fault, status, code = FETCH[name]
    url, _ = build_replica(server)
    server.indexes["pypi"].projects["idna"] = []
    server.indexes["pypi"].add_wheel("idna", IDNA)
    assert (
        run("resolve", "--index-url", url, "idna", "urllib3", "-q", "--output-dir", "lock").status
        == 0
    )
    server.faults[FILE] = fault
    result = run("fetch", "lock")
    assert result.status == status, result.err
    if code is not None:
        assert result.code == code, result.err
    final = Path("lock/wheels", IDNA.filename)
    assert final.exists() == (status == 0)
    assert list(Path("lock/wheels").glob("urllib3*.whl")), "what could be had is there"
    server.faults.clear()
    assert run("fetch", "lock").status == 0
    assert final.read_bytes() == IDNA.content
    assert not list(Path("lock/wheels").glob(".*.part"))


@pytest.mark.parametrize("served", [False, True])
def test_the_hash_of_metadata_is_never_taken_for_the_wheels(served: bool, server: Server, run):
    url, _ = build_replica(server, metadata_files=served)
    server.indexes["pypi"].projects["idna"] = []
    server.indexes["pypi"].add_wheel("idna", IDNA)
    stated = {**entry(), "hashes": {}, "core-metadata": {"sha256": "0" * 64}}
    server.faults[PAGE] = faults.body(page(stated), SIMPLE)
    result = run("resolve", "--index-url", url, "idna", "-o", "a.txt")
    if served:  # the metadata file is there and is not the one that the page names
        assert (result.status, result.code) == (5, "hash-mismatch"), result.err
    else:
        assert result.status == 0, result.err
        assert IDNA.sha256 in Path("a.txt").read_text()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_redirect_from_https_to_http_is_not_followed(server: Server, run, tmp_path, monkeypatch):
    authority = trustme.CA()
    cert = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(cert))
    url, _ = build_replica(server)
    secure = Server()
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        secure._http.socket = context.wrap_socket(secure._http.socket, server_side=True)
        secure.faults["/pypi/simple/idna/"] = faults.redirect(f"{url}/idna/")
        base = secure.base.replace("http:", "https:")
        untrusted = run("resolve", "idna", "--index-url", f"{base}/pypi/simple", "-o", "a.txt")
        assert (untrusted.status, untrusted.code) == (4, "unreachable")
        assert "TLS" in untrusted.err
        assert "REQUESTS_CA_BUNDLE" in untrusted.err
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(cert))
        refused = run("resolve", "idna", "--index-url", f"{base}/pypi/simple", "-o", "a.txt")
        assert (refused.status, refused.code) == (4, "unreachable")
        assert "it redirects to a URL that is not https" in refused.err
        # With its certificate named, the same server is trusted.
        secure.faults.clear()
        secure.index("pypi", metadata_files=True).add(Spec("idna", "3.10"))
        assert (
            run("resolve", "idna", "--index-url", f"{base}/pypi/simple", "-o", "a.txt").status == 0
        )
    finally:
        secure.close()
        # urllib3 leaves the socket of a refused certificate to the collector; its warning belongs
        # here and not to whichever test comes next.
        gc.collect()


def test_a_dead_proxy_is_named(run, monkeypatch):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("NO_PROXY", "")
    result = run("resolve", "idna", "--index-url", "http://index.invalid/simple")
    assert (result.status, result.code) == (4, "unreachable")
    assert "proxy" in result.err


def test_netrc_is_used(server: Server, run, monkeypatch, tmp_path):
    url, _ = build_replica(server)
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert run("resolve", "idna", "--index-url", url, "-o", "a.txt").status == 0
    assert all(headers.get("authorization", "").startswith("Basic ") for headers in server.headers)


def test_a_slow_drip_is_given_up(server: Server, run):
    url, _ = build_replica(server)
    server.faults[PAGE] = faults.drip(b"x" * 100, 0.2)
    result = run("resolve", "idna", "--index-url", url)
    assert (result.status, result.code) == (4, "too-slow"), result.err
