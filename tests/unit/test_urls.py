"""What a URL from outside becomes: one clean form, or a reason."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdna1_lock.text import one_line, printable, without_credentials
from rdna1_lock.urls import BadURLError, hashes_in, is_filename, read_url

CLEAN = re.compile(r"(https?://[A-Za-z0-9._\[\]:-]+|file://)/[A-Za-z0-9!$&'()*+,;=:@/?._~%-]*")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("https://a.example/x.whl", "https://a.example/x.whl"),
        (" https://a.example/x y.whl\n", "https://a.example/x%20y.whl"),
        ("https://a.example/x?${HOME}", "https://a.example/x?$%7BHOME%7D"),
        ("https://a.example/x'\"\\", "https://a.example/x'%22%5C"),
        ("https://a.example/%2B%zz", "https://a.example/%2B%25zz"),
        ("https://a.example/ä", "https://a.example/%C3%A4"),
        ("https://bücher.example/x", "https://xn--bcher-kva.example/x"),
        ("HTTPS://A.example:8080/x#sha256=1", "https://a.example:8080/x"),
        ("https://u:p%40@a.example/x", "https://a.example/x"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("file:///a b/x.whl", "file:///a%20b/x.whl"),
        ("https://a.example", "https://a.example/"),
    ],
)
def test_clean(text, clean):
    assert read_url(text).text == clean
    assert read_url(clean).text == clean


@pytest.mark.parametrize(
    "text",
    [
        "https://a.example/x\ny",
        "https://a.exa\tmple/x",
        "https://a.example/\x1b[2J",
        "https://a.example/\u2028",
        "https://a.example/\ud800",
        "https:///x",
        "https://a b.example/x",
        "https://a.example:99999/x",
        "https://[::1/x",
        "ftp://a.example/x",
        "javascript:alert(1)",
        "file://server/x",
        "x.whl",
        "",
        "https://a.example/" + "x" * 5000,
    ],
)
def test_refused(text):
    with pytest.raises(BadURLError):
        read_url(text)


def test_credentials_are_decoded_and_apart():
    clean = read_url("https://us%3Aer:p%40ss@a.example/x")
    assert clean.credentials == ("us:er", "p@ss")
    assert "us" not in clean.text
    assert read_url("https://a.example/x").credentials is None


@pytest.mark.parametrize("link", ["//b.example/x", "x", "/x", "../x", "?x"])
def test_a_page_that_came_over_https_leads_to_https(link):
    assert read_url(link, base="https://a.example/p/", secure=True).text.startswith("https:")


@pytest.mark.parametrize(
    "link", ["http://b.example/x", "http:x", "HTTP://b.example/x", "file:///x"]
)
def test_and_to_nothing_else(link):
    with pytest.raises(BadURLError):
        read_url(link, base="https://a.example/p/", secure=True)


@given(st.text(max_size=60), st.sampled_from([None, "https://a.example/simple/p/"]))
def test_what_passes_is_clean_and_a_fixed_point(text, base):
    try:
        clean = read_url(text, base=base)
    except BadURLError:
        return
    assert CLEAN.fullmatch(clean.text)
    assert read_url(clean.text).text == clean.text
    assert "${" not in clean.text


@pytest.mark.parametrize(
    ("fragment", "hashes"),
    [
        ("egg=x&sha256=ABC", {"sha256": "abc"}),
        ("sha256=1&md5=2", {"sha256": "1", "md5": "2"}),
        ("whirlpool=1", {}),
        ("", {}),
    ],
)
def test_hashes_in_a_fragment(fragment, hashes):
    assert hashes_in(fragment) == hashes


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "a b", "a\n", "\x00", "a" * 256])
def test_names_that_no_file_gets(name):
    assert not is_filename(name)


@given(st.text(max_size=80))
def test_printable_text_hides_nothing(text):
    shown = one_line(text)
    assert shown.isprintable() or all(c.isprintable() or c == "\u00a0" for c in shown)
    assert "\n" not in shown
    assert "\x1b" not in printable(text)


def test_credentials_leave_every_url_of_a_text():
    text = "see https://u:p@a.example/x and http://tok@b.example, mail me@c.example"
    assert without_credentials(text) == (
        "see https://a.example/x and http://b.example, mail me@c.example"
    )
