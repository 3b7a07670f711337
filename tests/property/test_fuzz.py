"""Whatever comes from outside, a command ends with a documented status and no traceback.

Seeded, so that a failure can be had again. ``RDNA1_LOCK_FUZZ`` sets how many inputs of all kinds
together; `make fuzz` tries 10,000, and 200 of them as processes.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tomli_w

from rdna1_lock import toml
from rdna1_lock.lock.digests import digests
from support.server import Handler, Server
from support.wheels import Spec, make_wheel

COUNT = int(os.environ.get("RDNA1_LOCK_FUZZ", "900"))
PROCESSES = int(os.environ.get("RDNA1_LOCK_FUZZ_PROCESSES", "12"))
ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "locks" / "rocm5.2-cp310" / "pylock.toml").read_bytes()
A = make_wheel(Spec("a", "1.0", ("b>=1", "c ; python_version < '3.11'"), requires_python=">=3.7"))
ALLOWED = {0, 1, 2, 3, 4, 5}
TOKENS = [
    b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\x1b[2J", b"\xe2\x80\xae", b"\r", b"\n\n", b"${HOME}",
    b"9" * 5000, b"[" * 300, b"{" * 300, b"<a ", b"<!--", b"'''", b'"""', b"#sha256=", b"://u:p@",
    b"-1", b"1e999", b"null", b"true", b"[]", b"{}", b"../", b"file:///dev/zero", b" --hash=sha256:",
    b"; extra == 'x'", b"@ https://h.example/a.whl", b"-r x.txt\n", b"*", b"==", b"\\", b"\t", b"%zz",
    b"2.*", b"!=~", b"(", b")", b",", b"+rocm5.2", b".dev0", b"!", b"\xc3\xa9",
]  # fmt: skip


def mutated(content: bytes, random_: random.Random) -> bytes:
    """Return the content after some small, some coarse changes."""
    body = bytearray(content)
    for _ in range(random_.choice((1, 1, 2, 4, 12))):
        at = random_.randrange(len(body) + 1)
        kind = random_.randrange(7)
        if kind == 0 and body:
            body[at - 1] ^= 1 << random_.randrange(8)
        elif kind == 1:
            body[at:at] = random_.choice(TOKENS)
        elif kind == 2:
            del body[at : at + random_.choice((1, 3, 20, 300))]
        elif kind == 3:
            body[at : at + random_.randrange(1, 12)] = random_.choice(TOKENS)
        elif kind == 4:
            other = random_.randrange(len(body) + 1)
            body[at:at] = body[other : other + random_.choice((5, 60, 500))]
        elif kind == 5:
            lines = bytes(body).split(b"\n")
            random_.shuffle(lines)
            body = bytearray(b"\n".join(lines))
        else:
            body = bytearray(body[:at])
    return bytes(body)


class World:
    """A loopback index whose parts can be replaced, and a folder for files."""

    def __init__(self, server: Server) -> None:
        self.server = server
        index = server.index("x", metadata_files=True)
        index.add_wheel("a", A)
        for name in ("b", "c"):
            index.add(Spec(name, "1.0"))
        self.index = ["--index-url", server.url("x"), "-o", "pylock.out.toml"]

    def answer(self, path: str, body: bytes, kind: str) -> None:
        def answer(handler: Handler) -> bool:
            handler.answer(200, body, {"Content-Type": kind})
            return True

        self.server.faults = {path: answer}

    def page(self, random_: random.Random) -> list[str]:
        as_json = random_.random() < 0.5
        body, _, _ = self.server.indexes["x"].rendered("a", as_json=as_json)
        if not as_json:
            body = (
                f'<!DOCTYPE html><base href="/x/files/"><a href="{A.filename}#sha256={A.sha256}"'
                ' data-requires-python="&gt;=3.7" data-yanked="">a</a>'
            ).encode()
        kind = "application/vnd.pypi.simple.v1+json" if as_json else "text/html"
        self.answer("/x/simple/a/", mutated(body, random_), kind)
        return ["resolve", "a", *self.index]

    def metadata(self, random_: random.Random) -> list[str]:
        page = (
            f'<a href="/x/files/{A.filename}#sha256={A.sha256}" data-core-metadata="true">a</a>'
        ).encode()
        self.answer("/x/simple/a/", page, "text/html")
        body = mutated(A.metadata, random_)
        self.server.faults[f"/x/files/{A.filename}.metadata"] = lambda handler: (
            handler.answer(200, body) or True
        )
        return ["resolve", "a", *self.index]

    def wheel(self, random_: random.Random) -> list[str]:
        page = f'<a href="/x/files/{A.filename}">a</a>'.encode()
        self.answer("/x/simple/a/", page, "text/html")
        body, ranges = mutated(A.content, random_), random_.random() < 0.5
        self.server.faults[f"/x/files/{A.filename}"] = lambda handler: (
            handler.send_content(body, ranges=ranges) or True
        )
        return ["resolve", "a", *self.index]

    def lock(self, random_: random.Random) -> list[str]:
        content = mutated(LOCK, random_)
        if random_.random() < 0.5:
            # With digests that fit it again, where it is data at all.
            try:
                data = toml.loads(content.decode())
                data["tool"]["rdna1-lock"]["digests"] = digests(data)
                content = tomli_w.dumps(data).encode()
            except (ValueError, KeyError, TypeError, AttributeError):
                pass
        Path("lock").mkdir(exist_ok=True)
        Path("lock/pylock.toml").write_bytes(content)
        return random_.choice(
            [
                ["env", "lock"],
                ["env", "lock", "--json"],
                ["resolve", "--check", "--offline", "--output-dir", "lock"],
                ["fetch", "lock", "--index-url", "http://127.0.0.1:9/simple"],
                ["audit", "lock"],
                ["verify", "lock"],
            ]
        )

    def requirements(self, random_: random.Random) -> list[str]:
        text = (
            b"a>=1.0 ; python_version < '3.11'  # why\n-c c.txt\n--index-url https://h.example/s\n"
            b"b[x,y] == 1.0 \\\n    --hash=sha256:" + b"0" * 64 + b"\n./c-1.0-py3-none-any.whl\n"
            b"c @ https://h.example/c-1.0-py3-none-any.whl#sha256=" + b"1" * 64 + b"\n"
        )
        Path("c.txt").write_bytes(mutated(b"a<2\nb!=1.1\n", random_))
        Path("r.txt").write_bytes(mutated(text, random_))
        if random_.random() < 0.3:
            return ["audit", "r.txt"]
        return ["resolve", "-r", "r.txt", "--offline", *self.index]

    def pyproject(self, random_: random.Random) -> list[str]:
        text = (
            b'[project]\nname = "p"\nrequires-python = ">=3.9"\ndependencies = ["a", "b>=1"]\n'
            b'[project.optional-dependencies]\nx = ["c", "p[y]"]\ny = []\n'
            b'[dependency-groups]\nt = ["a", {include-group = "u"}]\nu = ["b"]\n'
        )
        Path("pyproject.toml").write_bytes(mutated(text, random_))
        more = random_.choice([[], ["--extra", "x"], ["--group", "t"]])
        return ["resolve", "-r", "pyproject.toml", *more, *self.index]


KINDS = ("page", "metadata", "wheel", "lock", "requirements", "pyproject")


@pytest.fixture
def world(server: Server, run, monkeypatch) -> Iterator[World]:
    monkeypatch.delenv("RDNA1_LOCK_DEBUG")
    yield World(server)
    server.faults = {}


def ends_well(status: int, out: str, err: str) -> bool:
    told = out + err
    return status in ALLOWED and "Traceback" not in told and "\x1b" not in told


@pytest.mark.parametrize("kind", KINDS)
def test_no_input_is_a_bug(world: World, run, kind: str):
    make: Callable[[random.Random], list[str]] = getattr(world, kind)
    seen = set()
    for number in range(COUNT // len(KINDS)):
        arguments = make(random.Random(f"{kind} {number}"))
        result = run(*arguments)
        assert ends_well(result.status, result.out, result.err), (number, arguments, result)
        seen.add(int(result.status))
    # A fuzz that only ever fails at the door proves little.
    assert len(seen) > 1


@pytest.mark.parametrize("kind", KINDS)
def test_nor_in_a_process_of_its_own(world: World, kind: str):
    for number in range(PROCESSES // len(KINDS)):
        arguments = getattr(world, kind)(random.Random(f"{kind} {number}"))
        done = subprocess.run(
            [sys.executable, "-m", "rdna1_lock", *arguments], capture_output=True, check=False
        )
        told = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
        assert ends_well(done.returncode, *told), (number, arguments, told)
