"""Index pages to files: PEP 503 HTML and PEP 691 JSON. Pure; the one place that decodes URLs.

The standard library's ``html.parser`` reads the HTML: of the two libraries for index pages,
pypi-simple costs 0.3 s to import, and mousebender gives up a whole page for one bad anchor and
drops ``data-upload-time``, which the PyTorch index has.
"""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from rdna1_lock.model import IndexFile

_SHA256 = re.compile(r"[0-9a-f]{64}")
_UNSAFE_NAME = re.compile(r"[\x00-\x1f\x7f/\\]")
_SIMPLE_HTML = re.compile(r"pypi:repository-version|links for", re.IGNORECASE)


class NotAnIndexPageError(Exception):
    """The text is no project page of a simple index; the message says what it is instead."""


def parse_page(body: bytes, content_type: str, url: str) -> tuple[IndexFile, ...]:
    """Return the files that a page names; entries that make no sense are left out.

    ``url`` is where the page came from, after redirects; relative links start there.
    """
    kind = content_type.partition(";")[0].strip().lower()
    start = body[:512].lstrip()
    if kind.endswith("json") or (not kind.endswith("html") and start.startswith(b"{")):
        raw = _json_files(body)
    elif kind.endswith("html") or start.startswith(b"<"):
        raw, url = _html_files(body, url)
    else:
        raise NotAnIndexPageError(f"it is {kind or 'of no stated type'}, not an index page")
    return tuple(file for entry in raw if (file := _file(entry, url)) is not None)


def strip_credentials(url: str) -> str:
    """Return a URL without user name and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def safe_filename(name: str) -> bool:
    """Say whether a name from a page may become the name of a file."""
    return bool(name) and name not in {".", ".."} and not _UNSAFE_NAME.search(name)


def parse_direct_url(url: str) -> IndexFile | str:
    """Return the wheel that a direct reference names, or the reason why it names none."""
    link, _, fragment = url.partition("#")
    try:
        parts = urlsplit(link)
    except ValueError as error:
        return f"is no URL ({error})"
    filename = unquote(parts.path.rpartition("/")[2])
    if "+" in parts.scheme:
        return "is a repository; only wheels can be locked. Build one with `pip wheel` and use --find-links"
    if parts.scheme not in {"http", "https", "file"}:
        return "is neither an https nor a file URL"
    if not filename.endswith(".whl") or not safe_filename(filename):
        return "is not the URL of a wheel; only wheels can be locked"
    algorithm, _, value = fragment.partition("&")[0].partition("=")
    return IndexFile(
        filename=filename,
        url=strip_credentials(link),
        sha256=_digest(value) if algorithm.lower() == "sha256" else None,
        local_path=unquote(parts.path) if parts.scheme == "file" else None,
    )


def _json_files(body: bytes) -> list[dict[str, Any]]:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotAnIndexPageError(f"it is not valid JSON ({error})") from error
    if not isinstance(data, dict) or not isinstance(data.get("files"), list):
        raise NotAnIndexPageError("its JSON has no list `files` (PEP 691)")
    meta = data.get("meta")
    version = meta.get("api-version") if isinstance(meta, dict) else None
    if isinstance(version, str) and not version.startswith("1."):
        raise NotAnIndexPageError(f"its API version is {version}; only 1.x is understood")
    return [entry for entry in data["files"] if isinstance(entry, dict)]


def _file(entry: dict[str, Any], base: str) -> IndexFile | None:
    filename, href = entry.get("filename"), entry.get("url")
    if not isinstance(filename, str) or not isinstance(href, str) or not safe_filename(filename):
        return None
    try:
        url = urljoin(base, href.strip())
        parts = urlsplit(url)
        secure = urlsplit(base).scheme == "https"
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    if secure and parts.scheme != "https":
        return None
    hashes = entry.get("hashes")
    sha256 = hashes.get("sha256") if isinstance(hashes, dict) else None
    size, yanked = entry.get("size"), entry.get("yanked")
    metadata = entry.get("core-metadata", entry.get("dist-info-metadata"))
    return IndexFile(
        filename=filename,
        url=strip_credentials(urlunsplit(parts._replace(fragment=""))),
        sha256=_digest(sha256),
        size=size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None,
        requires_python=_text(entry.get("requires-python")),
        yanked=yanked if isinstance(yanked, str) else ("" if yanked is True else None),
        upload_time=_text(entry.get("upload-time")),
        core_metadata=_core_metadata(metadata),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _digest(value: Any) -> str | None:
    if isinstance(value, str) and _SHA256.fullmatch(value.lower()):
        return value.lower()
    return None


def _core_metadata(value: Any) -> str | None:
    if isinstance(value, dict):
        return _digest(value.get("sha256")) or ""
    return "" if value is True else None


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.anchors: list[dict[str, str | None]] = []
        self.base: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.anchors.append(dict(attrs))
        elif tag == "base" and self.base is None:
            self.base = dict(attrs).get("href")


def _html_files(body: bytes, url: str) -> tuple[list[dict[str, Any]], str]:
    text = body.decode("utf-8", "replace")
    parser = _Anchors()
    try:
        parser.feed(text)
        parser.close()
    except (AssertionError, ValueError) as error:
        raise NotAnIndexPageError(f"its HTML cannot be read ({error})") from error
    if not parser.anchors and not _SIMPLE_HTML.search(text):
        raise NotAnIndexPageError("it is an HTML page without any link")
    try:
        base = urljoin(url, parser.base) if parser.base else url
    except ValueError:
        base = url
    return [_anchor(attributes) for attributes in parser.anchors if attributes.get("href")], base


def _anchor(attributes: dict[str, str | None]) -> dict[str, Any]:
    href = attributes["href"] or ""
    link, _, fragment = href.partition("#")
    # PEP 503: the text of the anchor tag MUST match the final path component of the URL.
    filename = unquote(link.partition("?")[0].rpartition("/")[2])
    entry: dict[str, Any] = {"filename": filename, "url": link, "hashes": {}}
    algorithm, _, value = fragment.partition("&")[0].partition("=")
    if algorithm.lower() == "sha256":
        entry["hashes"] = {"sha256": value}
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
