"""Index pages to files: PEP 503 HTML and PEP 691 JSON. Pure.

Every string of a page is checked here, once: a URL becomes one that can stand in a lock, a file
name one that can be a file's, and a text one line that can be printed.
"""

from __future__ import annotations

import json
import re
from threading import Lock
from typing import Any
from urllib.parse import unquote, urljoin

from rdna1_lock.index.html import Attributes, start_tags
from rdna1_lock.model import IndexFile
from rdna1_lock.text import one_line
from rdna1_lock.urls import ALGORITHMS, BadURLError, hashes_in, is_filename, read_url

_HEX = re.compile(r"[0-9a-f]+")
_SIMPLE_HTML = re.compile(r"pypi:repository-version|links for", re.IGNORECASE)
_LINKS = frozenset({"a", "base"})
LARGEST_FILE = 1 << 45
# What a page may hold: the largest real ones have some 100,000 objects. A page of brackets alone
# would take thirty times its size in memory.
MOST_OBJECTS = 400_000
MOST_COMMAS = 4_000_000
# Pages come several at once; their objects are made for one at a time.
_ONE_AT_A_TIME = Lock()


class NotAnIndexPageError(Exception):
    """The text is not the project page of a simple index; the message says what it is instead."""


def parse_page(body: bytes, content_type: str, url: str) -> tuple[IndexFile, ...]:
    """Return the files that a page names; entries that make no sense are left out.

    ``url`` is where the page came from, after redirects; relative links start there.
    """
    kind = content_type.partition(";")[0].strip().lower()
    start = body[:512].lstrip()
    # Whatever <base> says: a page that came over https leads to https.
    secure = url.startswith("https:")
    with _ONE_AT_A_TIME:
        if kind.endswith("json") or (not kind.endswith("html") and start.startswith(b"{")):
            raw = _json_files(body)
        elif kind.endswith("html") or start.startswith(b"<"):
            raw, url = _html_files(body, url)
        else:
            shown = one_line(kind, 80) or "of no stated type"
            raise NotAnIndexPageError(f"it is {shown}, not an index page")
        files = (_file(entry, url, secure=secure) for entry in raw)
        return tuple(file for file in files if file is not None)


def parse_direct_url(url: str) -> IndexFile | str:
    """Return the wheel that a direct reference names, or the reason why it names none.

    PEP 440, "Direct references": the fragment may hold a hash, and pip's other keys (``#egg=``).
    """
    if re.match(r"\w+\+", url):
        return "is a repository; only wheels can be locked. Build one with `pip wheel` and use --find-links"
    try:
        clean = read_url(url)
    except BadURLError as error:
        return str(error)
    filename = clean.filename
    if not filename.endswith(".whl") or not is_filename(filename):
        return "is not the URL of a wheel; only wheels can be locked"
    sha256, other = _hashes(hashes_in(clean.fragment))
    return IndexFile(
        filename=filename,
        url=clean.text,
        sha256=sha256,
        other_hash=other,
        local_path=clean.path if clean.scheme == "file" else None,
    )


def _json_files(body: bytes) -> list[dict[str, Any]]:
    if body.count(b"{") + body.count(b"[") > MOST_OBJECTS or body.count(b",") > MOST_COMMAS:
        raise NotAnIndexPageError("it holds more objects than any page of an index")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotAnIndexPageError(f"it is not valid JSON ({error})") from error
    if not isinstance(data, dict) or not isinstance(data.get("files"), list):
        raise NotAnIndexPageError("its JSON has no list `files` (PEP 691)")
    meta = data.get("meta")
    version = meta.get("api-version") if isinstance(meta, dict) else None
    if isinstance(version, str) and not version.startswith("1."):
        raise NotAnIndexPageError(
            f"its API version is {one_line(version, 20)}; only 1.x is understood"
        )
    return [entry for entry in data["files"] if isinstance(entry, dict)]


def _file(entry: dict[str, Any], base: str, *, secure: bool) -> IndexFile | None:
    filename, href = entry.get("filename"), entry.get("url")
    if not isinstance(filename, str) or not isinstance(href, str) or not is_filename(filename):
        return None
    try:
        clean = read_url(href, base=base, secure=secure)
    except BadURLError:
        return None
    if clean.scheme == "file":
        return None
    hashes = entry.get("hashes")
    sha256, other = _hashes(hashes if isinstance(hashes, dict) else {})
    size, yanked = entry.get("size"), entry.get("yanked")
    return IndexFile(
        filename=filename,
        url=clean.text,
        sha256=sha256,
        other_hash=other if sha256 is None else None,
        size=size if type(size) is int and 0 <= size <= LARGEST_FILE else None,
        requires_python=_text(entry.get("requires-python")),
        yanked=one_line(yanked) if isinstance(yanked, str) else ("" if yanked is True else None),
        upload_time=_text(entry.get("upload-time")),
        core_metadata=_core_metadata(entry.get("core-metadata", entry.get("dist-info-metadata"))),
    )


def _hashes(stated: dict[Any, Any]) -> tuple[str | None, str | None]:
    """Return the sha256 that is stated, and the strongest other hash as ``algorithm:digest``.

    PEP 503 allows every algorithm of hashlib; one without sha256 is checked when the file is read.
    """
    right = {
        name: digest
        for name, value in stated.items()
        if name in ALGORITHMS and (digest := _digest(value, ALGORITHMS[name])) is not None
    }
    sha256 = right.pop("sha256", None)
    if not right:
        return sha256, None
    strongest = max(right, key=lambda name: ALGORITHMS[name])
    return sha256, f"{strongest}:{right[strongest]}"


def _text(value: Any) -> str | None:
    return one_line(value) if isinstance(value, str) and value.strip() else None


def _digest(value: Any, length: int = ALGORITHMS["sha256"]) -> str | None:
    if isinstance(value, str) and len(value) == length and _HEX.fullmatch(value.lower()):
        return value.lower()
    return None


def _core_metadata(value: Any) -> str | None:
    if isinstance(value, dict):
        return _digest(value.get("sha256")) or ""
    return "" if value is True else None


def _html_files(body: bytes, url: str) -> tuple[list[dict[str, Any]], str]:
    text = body.decode("utf-8", "replace")
    base, anchors = None, []
    for name, attributes in start_tags(text, _LINKS):
        href = attributes.get("href")
        if name == "base":
            base = base or href
        elif href:
            anchors.append(_anchor(href, attributes))
    if not anchors and not _SIMPLE_HTML.search(text):
        raise NotAnIndexPageError("it is an HTML page without any link")
    try:
        return anchors, urljoin(url, base) if base else url
    except ValueError:
        return anchors, url


def _anchor(href: str, attributes: Attributes) -> dict[str, Any]:
    link, _, fragment = href.partition("#")
    # PEP 503: the text of the anchor tag MUST match the final path component of the URL.
    filename = unquote(link.partition("?")[0].rstrip().rpartition("/")[2])
    entry: dict[str, Any] = {"filename": filename, "url": link, "hashes": hashes_in(fragment)}
    if "data-yanked" in attributes:
        entry["yanked"] = attributes["data-yanked"] or True
    for key in ("requires-python", "upload-time"):
        entry[key] = attributes.get(f"data-{key}")
    # PEP 714: clients MUST read data-core-metadata if it is present. It is the hash of the
    # METADATA file; taking it for the wheel's is a mistake that others have made.
    for key in ("data-core-metadata", "data-dist-info-metadata"):
        if key in attributes:
            name, _, digest = (attributes[key] or "true").partition("=")
            entry["core-metadata"] = {name.lower(): digest} if digest else True
            break
    return entry
