"""METADATA from a few ranges, wherever it stands in a wheel and however large that is."""

from __future__ import annotations

import re

import pytest
from packaging.utils import NormalizedName
from packaging.version import Version

from rdna1_lock.index.http import Part
from rdna1_lock.index.interface import BadWheelError
from rdna1_lock.index.metadata import TAIL, RemoteFile, metadata_from_zip, parse_metadata
from rdna1_lock.model import IndexFile, Wheel
from support.wheels import Spec, WheelFile, make_wheel


def wheel(name: str = "big") -> Wheel:
    file = IndexFile(filename=f"{name}-1-py3-none-any.whl", url="https://f.example/x.whl")
    return Wheel(
        name=NormalizedName(name),
        version=Version("1"),
        rank=0,
        file=file,
        source="default",
    )


class Store:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.spans: list[str] = []
        self.sent = 0

    def fetch(self, span: str) -> Part:
        self.spans.append(span)
        match = re.fullmatch(r"(\d*)-(\d*)", span)
        assert match
        size = len(self.content)
        start = int(match[1]) if match[1] else max(0, size - int(match[2]))
        end = int(match[2]) + 1 if match[1] else size
        body = self.content[start:end]
        self.sent += len(body)
        return Part(start, size, body, whole=False)


def many(count: int, **more: object) -> WheelFile:
    files = {
        f"big/module_with_a_long_name_{number}.py": f"x = {number}\n" for number in range(count)
    }
    return make_wheel(Spec("big", "1", ("other>=1",), modules=files, padding=300_000, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize("front", [False, True])
@pytest.mark.parametrize("count", [1, 50, 2000])
def test_few_requests_and_few_bytes(count, front):
    built = many(count, front=front)
    store = Store(built.content)
    content = metadata_from_zip(RemoteFile(store.fetch, len(built.content)), wheel())
    assert content == built.metadata
    assert len(store.spans) <= 3
    assert store.spans[0] == f"-{TAIL}"
    assert store.sent < len(built.content) / 2
    assert [str(one) for one in parse_metadata(content, wheel()).requires] == ["other>=1"]


def test_a_server_that_lies_about_ranges():
    built = many(2000)
    store = Store(built.content)

    def lie(span: str) -> Part:
        part = store.fetch(span)
        return (
            part
            if span.startswith("-")
            else Part(part.start + 1, part.total, part.body, whole=False)
        )

    with pytest.raises(BadWheelError, match="another part"):
        metadata_from_zip(RemoteFile(lie, None), wheel())


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_wheel(content):
    with pytest.raises(BadWheelError):
        metadata_from_zip(RemoteFile(Store(content).fetch, None), wheel())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "no name or version"),
        (b"Name: big\n", "no name or version"),
        (b"Name: other\nVersion: 1\n", "says it is other 1"),
        (b"Name: big\nVersion: 2\n", "says it is big 2"),
        (b"Name: big\nVersion: one\n", "says it is big one"),
    ],
)
def test_metadata_of_something_else(text, message):
    with pytest.raises(BadWheelError, match=message):
        parse_metadata(text, wheel())


def test_names_and_versions_compare_normalized():
    assert (
        parse_metadata(
            b"Name: BIG\nVersion: 1.0\nRequires-Python: >=3.8\n", wheel()
        ).requires_python
        == ">=3.8"
    )
