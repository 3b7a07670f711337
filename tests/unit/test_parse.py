from __future__ import annotations

import json

import pytest

from rdna1_lock.index.parse import (
    NotAnIndexPageError,
    parse_direct_url,
    parse_page,
)

URL = "https://index.example/simple/torch/"
DIGEST = "ab" * 32


def one(html: str, url: str = URL):
    files = parse_page(f"<html><body>{html}</body></html>".encode(), "text/html", url)
    assert len(files) == 1
    return files[0]


def test_pytorch_line_is_read_as_it_is_written():
    file = one(
        '<a href="https://download-r2.pytorch.org/whl/rocm5.2/torch-1.13.1%2Brocm5.2-cp310-cp310-linux_x86_64.whl'
        f'#sha256={DIGEST}" data-dist-info-metadata="sha256={"cd" * 32}" data-core-metadata="sha256={"cd" * 32}"'
        ' data-upload-time="2023-10-05T22:11:33Z">torch-1.13.1+rocm5.2-cp310-cp310-linux_x86_64.whl</a><br/>'
    )
    assert file.filename == "torch-1.13.1+rocm5.2-cp310-cp310-linux_x86_64.whl"
    assert "%2B" in file.url
    assert "#" not in file.url
    assert file.sha256 == DIGEST
    assert file.core_metadata == "cd" * 32
    assert file.upload_time == "2023-10-05T22:11:33Z"


def test_the_metadata_hash_is_never_the_wheels():
    file = one(f'<a href="a-1-py3-none-any.whl" data-core-metadata="sha256={DIGEST}">a</a>')
    assert file.sha256 is None
    assert file.core_metadata == DIGEST


def test_metadata_without_a_hash():
    assert one('<a href="a-1-py3-none-any.whl" data-core-metadata="true">a</a>').core_metadata == ""
    assert one('<a href="a-1-py3-none-any.whl" data-core-metadata>a</a>').core_metadata == ""
    assert one('<a href="a-1-py3-none-any.whl">a</a>').core_metadata is None


def test_percent_is_decoded_exactly_once():
    assert one('<a href="a-1%252B2-py3-none-any.whl">a</a>').filename == "a-1%2B2-py3-none-any.whl"


def test_relative_links_start_at_the_page_or_its_base():
    assert (
        one('<a href="../../f/a-1-py3-none-any.whl">a</a>').url
        == "https://index.example/f/a-1-py3-none-any.whl"
    )
    assert (
        one('<base href="https://cdn.example/x/"><a href="a.whl">a</a>').url
        == "https://cdn.example/x/a.whl"
    )
    assert one('<a href="//cdn.example/a.whl">a</a>').url == "https://cdn.example/a.whl"


def test_entities_are_read():
    file = one(
        '<a href="a.whl?x=1&amp;y=2" data-requires-python="&gt;=3.8&lt;4" data-yanked="a &quot;bug&quot;">a</a>'
    )
    assert file.requires_python == ">=3.8<4"
    assert file.yanked == 'a "bug"'


def test_yanked_without_a_reason():
    assert one('<a href="a.whl" data-yanked>a</a>').yanked == ""
    assert one('<a href="a.whl" data-yanked="">a</a>').yanked == ""
    assert one('<a href="a.whl">a</a>').yanked is None


@pytest.mark.parametrize(
    "href",
    [
        "../..%2f..%2fetc%2fpasswd",
        "x/..",
        "a%00b.whl",
        "a%5Cb.whl",
        "javascript:alert(1)",
        "file:///etc/a.whl",
        "ftp://host.example/a.whl",
        "http://plain.example/a.whl",
        "https://[broken/a.whl",
        "",
        "/",
    ],
)
def test_names_and_links_that_lead_elsewhere_are_left_out(href):
    body = f'<h1>Links for a</h1><a href="{href}">a.whl</a>'.encode()
    assert parse_page(body, "text/html", URL) == ()


@pytest.mark.parametrize(
    "name", ["../a.whl", "a/b.whl", "..", "a\x00.whl", "a\nb.whl", "", 7, None]
)
def test_json_names_with_path_parts_are_left_out(name):
    body = json.dumps(
        {"files": [{"filename": name, "url": "https://f.example/a.whl", "hashes": {}}]}
    ).encode()
    assert parse_page(body, "application/vnd.pypi.simple.v1+json", URL) == ()


def test_one_bad_entry_does_not_hide_the_others():
    entries = [
        7,
        {"filename": "a.whl"},
        {"filename": "b.whl", "url": 3},
        {
            "filename": "c.whl",
            "url": "c.whl",
            "hashes": {"sha256": "short"},
            "size": -1,
            "yanked": 1,
            "core-metadata": [],
        },
    ]
    files = parse_page(json.dumps({"files": entries}).encode(), "application/json", URL)
    assert [(file.filename, file.sha256, file.size, file.yanked) for file in files] == [
        ("c.whl", None, None, None)
    ]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html><body>Please log in</body></html>", "text/html"),
        (b"{", "application/vnd.pypi.simple.v1+json"),
        (b"[]", "application/json"),
        (b'{"files": 3}', "application/json"),
        (b'{"meta": {"api-version": "2.0"}, "files": []}', "application/json"),
        (b"\x89PNG", "image/png"),
        (b"", ""),
        (b"[" * 100_000, "application/json"),
    ],
)
def test_junk_is_no_index_page(body, kind):
    with pytest.raises(NotAnIndexPageError):
        parse_page(body, kind, URL)


def test_an_empty_project_is_no_junk():
    assert parse_page(b"<h1>Links for a</h1>", "text/html", URL) == ()
    assert (
        parse_page(b'{"meta": {"api-version": "1.1"}, "files": []}', "application/json", URL) == ()
    )


def test_credentials_in_links_are_dropped():
    file = one('<a href="https://user:secret@index.example/a.whl">a</a>')
    assert file.url == "https://index.example/a.whl"


def test_direct_urls():
    found = parse_direct_url(f"https://f.example/torch-1%2Bx-py3-none-any.whl#sha256={DIGEST}")
    assert not isinstance(found, str)
    assert (found.filename, found.sha256) == ("torch-1+x-py3-none-any.whl", DIGEST)
    for url in (
        "git+https://h.example/a.git",
        "https://h.example/a.tar.gz",
        "ftp://h.example/a.whl",
        "https://[x/a.whl",
    ):
        assert isinstance(parse_direct_url(url), str)
