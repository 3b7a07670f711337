"""Whatever an index sends, reading it ends in files or in the documented exception."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import NormalizedName
from packaging.version import Version

from rdna1_lock.errors import InputError
from rdna1_lock.index.interface import BadWheelError
from rdna1_lock.index.metadata import parse_metadata
from rdna1_lock.index.parse import NotAnIndexPageError, parse_page
from rdna1_lock.lock.read import lock_from_toml
from rdna1_lock.model import IndexFile, Wheel
from rdna1_lock.urls import is_filename

URL = "https://index.example/simple/a/"
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
KEYS = [
    "filename",
    "url",
    "hashes",
    "size",
    "yanked",
    "requires-python",
    "upload-time",
    "core-metadata",
    "dist-info-metadata",
]
entries = st.dictionaries(st.sampled_from(KEYS), json_values | st.just("a-1-py3-none-any.whl"))
pieces = st.sampled_from(
    [
        "<a ",
        'href="',
        "a-1.whl",
        "#sha256=",
        "&lt;",
        "%00",
        "%2F",
        "../",
        '">',
        "</a>",
        "<base ",
        "<!--",
        "]]>",
        "<![CDATA[",
        "data-yanked",
        "\x00",
        "http://[",
    ]
)


@given(
    body=st.binary(max_size=200),
    kind=st.sampled_from(["text/html", "application/json", "", "text/plain"]),
)
def test_bytes(body, kind):
    check(body, kind)


@given(html=st.lists(pieces | st.text(max_size=5), max_size=30))
def test_html(html):
    check("".join(html).encode("utf-8", "replace"), "text/html")


@given(files=st.lists(entries | json_values, max_size=4), meta=json_values)
def test_json(files, meta):
    check(json.dumps({"files": files, "meta": meta}).encode(), "application/json")


def check(body: bytes, kind: str) -> None:
    try:
        files = parse_page(body, kind, URL)
    except NotAnIndexPageError:
        return
    for file in files:
        assert is_filename(file.filename)
        assert file.url.startswith("https://")


WHEEL = Wheel(
    name=NormalizedName("a"),
    version=Version("1"),
    rank=0,
    file=IndexFile(filename="a-1-py3-none-any.whl", url="https://f.example/a-1-py3-none-any.whl"),
    source="default",
)


@given(
    lines=st.lists(
        st.sampled_from(
            [
                "Name: a",
                "Version: 1",
                "Requires-Dist: b>=1",
                "Requires-Python: >=3",
                "Provides-Extra: x",
                "",
                "  folded",
                ":",
            ]
        )
        | st.text(max_size=20)
    )
)
def test_metadata(lines):
    try:
        found = parse_metadata("\n".join(lines).encode("utf-8", "replace"), WHEEL)
    except BadWheelError:
        return
    assert all(isinstance(text, str) for text in found.requires)


@given(
    data=st.dictionaries(
        st.sampled_from(
            ["lock-version", "created-by", "packages", "tool", "requires-python", "environments"]
        ),
        json_values | st.just("1.0") | st.just([]) | st.just({"rdna1-lock": {"schema": 1}}),
    )
)
def test_locks(data):
    try:
        lock_from_toml(data, "pylock.toml")
    except InputError:
        return
