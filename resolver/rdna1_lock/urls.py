"""URLs from outside, checked once: what passed here can stand in a lock, a file or a shell line.

RFC 3986 allows unreserved characters, reserved ones and percent-encoded octets, and nothing else:
so a URL has no white space, no quotes, no braces (pip expands ``${NAME}`` in requirements files)
and no backslash. What is not allowed is percent-encoded, as browsers do; controls are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

# RFC 3986, sections 2.2 and 2.3. "[" and "]" belong to the host alone, "#" to the fragment.
_ALLOWED = "!$&'()*+,;=:@/?-._~"
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")
_PLAIN = re.compile(r"https?://[a-z0-9][a-z0-9.-]*/[A-Za-z0-9!$&'()*+,;=:@/._~%-]*")
_UNSAFE_NAME = re.compile(r"[\x00-\x20\x7f-\x9f/\\\u2028\u2029\ud800-\udfff]")
LONGEST = 4096


class BadURLError(ValueError):
    """A text that is not the URL of a file; the message says why, and continues `URL …`."""


@dataclass(frozen=True, slots=True)
class CleanURL:
    """An absolute http, https or file URL without credentials and fragment.

    ``credentials`` are user name and password, decoded, where the text had them.
    """

    text: str
    fragment: str
    credentials: tuple[str, str] | None

    @property
    def scheme(self) -> str:
        """The scheme, in lower case."""
        return self.text.partition(":")[0]

    @property
    def filename(self) -> str:
        """The last part of the path, percent-decoded."""
        return unquote(self.text.partition("?")[0].rpartition("/")[2])

    @property
    def path(self) -> str:
        """The path, percent-decoded: of a file URL, the path of the file."""
        return unquote(urlsplit(self.text).path)


def read_url(text: str, *, base: str | None = None, secure: bool = False) -> CleanURL:
    """Check a URL, relative to ``base`` if there is one; ``secure`` demands https.

    Raises:
        BadURLError: it is none, or one that cannot be written down safely.

    """
    text = text.strip(" \t\r\n\f")
    if len(text) > LONGEST:
        raise BadURLError("is too long")
    if _PLAIN.fullmatch(text) and not _STRAY_PERCENT.search(text):
        # Nearly every link of a real index: nothing to join, to encode or to take out.
        if secure and not text.startswith("https"):
            raise BadURLError("is not https, unlike the page that names it")
        return CleanURL(text, "", None)
    if _CONTROLS.search(text):
        raise BadURLError("has control characters in it")
    try:
        parts = urlsplit(urljoin(base, text) if base is not None else text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BadURLError(f"is not a URL ({error})") from error
    scheme = parts.scheme.lower()
    if scheme == "file" and not secure:
        if parts.netloc not in {"", "localhost"}:
            raise BadURLError("names a file on another machine")
        return CleanURL(f"file://{_encoded(parts.path)}", parts.fragment, None)
    if scheme not in {"http", "https"}:
        raise BadURLError("is neither an https nor a file URL")
    if secure and scheme != "https":
        raise BadURLError("is not https, unlike the page that names it")
    netloc = _netloc(host, port, parts.netloc)
    credentials = None
    if parts.username is not None:
        credentials = (unquote(parts.username), unquote(parts.password or ""))
    query = _encoded(parts.query)
    clean = urlunsplit((scheme, netloc, _encoded(parts.path) or "/", query, ""))
    return CleanURL(clean, parts.fragment, credentials)


def _netloc(host: str | None, port: int | None, netloc: str) -> str:
    bracketed = f"[{host}]" if host and ":" in host else host
    if bracketed and not bracketed.isascii():
        try:
            bracketed = bracketed.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise BadURLError("has a host that no name server knows") from error
    if not bracketed or not _HOST.fullmatch(bracketed):
        raise BadURLError("has no host" if not netloc else "has a host that is not a name")
    return bracketed if port is None else f"{bracketed}:{port}"


def _encoded(text: str) -> str:
    return quote(_STRAY_PERCENT.sub("%25", text), safe=_ALLOWED + "%")


def hashes_in(fragment: str) -> dict[str, str]:
    """Return the hashes of a URL's fragment by algorithm: ``#egg=x&sha256=…`` has one."""
    found = {}
    for part in fragment.split("&"):
        name, equals, value = part.partition("=")
        if equals and name.lower() in ALGORITHMS:
            found[name.lower()] = value.lower()
    return found


# hashlib's guaranteed algorithms (PEP 503 allows any of them), with the length of their digests.
ALGORITHMS = {"md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128}


def is_filename(name: str) -> bool:
    """Say whether a name from outside may become the name of a file, and stand in a line."""
    return 0 < len(name) <= 255 and name not in {".", ".."} and not _UNSAFE_NAME.search(name)


def origin(url: str) -> str:
    """Return scheme, host and port of a URL: what credentials belong to."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
