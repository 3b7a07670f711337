"""METADATA of a wheel: parsed, and read from the end of a remote wheel without the rest."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from email.parser import HeaderParser
from email.policy import compat32
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from rdna1_lock.errors import Error
from rdna1_lock.index.interface import BadWheelError, NoRangesError
from rdna1_lock.legacy import read_requirement, read_specifier
from rdna1_lock.model import WheelMetadata
from rdna1_lock.pep508 import read_version
from rdna1_lock.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from packaging.requirements import Requirement

    from rdna1_lock.index.http import Part
    from rdna1_lock.model import Wheel

METADATA_LIMIT = 16 * 2**20
# The largest known releases have some 800, most of them of extras.
MOST_REQUIREMENTS = 3000
MOST_ON_ONE = 300
# One read of this size holds central directory and METADATA of most wheels.
TAIL = 32 * 2**10
# Very large wheels have very large central directories: torch 1.13.1 needs about 1 MB.
LARGE_WHEEL = 100 * 2**20
LARGE_TAIL = 512 * 2**10
# What one read may ask of a server: the directory of the largest wheels has a few MB.
LARGEST_READ = 64 * 2**20
_WANTED = {"name", "version", "requires-dist", "requires-python", "provides-extra"}
_METADATA_NAME = re.compile(r"[^/]+\.dist-info/METADATA")


def parse_metadata(content: bytes, wheel: Wheel) -> WheelMetadata:
    """Read METADATA and check that it is of the project and version of the file name.

    Read as pip reads it: header by header, the first of each that can be there once. A byte that
    is not UTF-8 spoils a letter, and neither its header nor the others.

    Raises:
        BadWheelError: it is of something else, is not METADATA at all, or has a requirement that
            no tool can read.

    """
    headers = _headers(content)
    name, version = _first(headers, "name"), _first(headers, "version")
    if not name or not version:
        raise BadWheelError("its METADATA states no name or version")
    try:
        same = canonicalize_name(name) == wheel.name and read_version(version) == wheel.version
    except ValueError:
        same = False
    if not same:
        raise BadWheelError(f"its METADATA says it is {one_line(f'{name} {version}', 80)}")
    requires, legacy = [], []
    for text in headers.get("requires-dist", ()):
        try:
            requirement, mended = read_requirement(text)
        except ValueError:
            raise BadWheelError(
                f"it requires `{one_line(text, 80)}`, which no tool can read"
            ) from None
        requires.append(requirement)
        if mended:
            legacy.append(one_line(text, 200))
    _check_number(requires)
    return WheelMetadata(
        requires=tuple(requires),
        legacy=tuple(legacy),
        requires_python=read_specifier(_first(headers, "requires-python")),
        extras=frozenset(canonicalize_name(extra) for extra in headers.get("provides-extra", ())),
    )


def _check_number(requires: list[Requirement]) -> None:
    """Bound what the search has to hold against each other; it grows with the square."""
    if len(requires) > MOST_REQUIREMENTS:
        raise BadWheelError(f"it has {len(requires)} requirements")
    counted = Counter(canonicalize_name(one.name) for one in requires)
    for name, number in counted.most_common(1):
        if number > MOST_ON_ONE:
            raise BadWheelError(f"it has {number} requirements on {one_line(name, 80)}")


def _headers(content: bytes) -> dict[str, list[str]]:
    """Return the headers that matter, by lower-case name (RFC 5322, unfolded)."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    found: dict[str, list[str]] = {}
    for key, value in HeaderParser(policy=compat32).parsestr(text).items():
        if key.lower() in _WANTED:
            found.setdefault(key.lower(), []).append(" ".join(str(value).split()))
    return found


def _first(headers: dict[str, list[str]], name: str) -> str | None:
    return next(iter(headers.get(name, ())), None)


def metadata_from_zip(file: io.IOBase, wheel: Wheel) -> bytes:
    """Return the bytes of METADATA from an open wheel.

    Raises:
        BadWheelError: they cannot be read; the other releases of the project may still serve.

    """
    try:
        with zipfile.ZipFile(file) as archive:
            names = [name for name in archive.namelist() if _METADATA_NAME.fullmatch(name)]
            wanted = [name for name in names if _is_dist_info_of(name, wheel)] or names
            if len(wanted) != 1:
                raise BadWheelError(f"it holds {len(wanted)} METADATA files instead of one")
            info = archive.getinfo(wanted[0])
            if max(info.file_size, info.compress_size) > METADATA_LIMIT:
                raise BadWheelError("its METADATA is larger than 16 MiB")
            if isinstance(file, RemoteFile):
                file.expect(info.header_offset, info.compress_size + len(wanted[0]) + 128)
            return archive.read(info)
    except (BadWheelError, NoRangesError, Error):
        raise
    except Exception as error:
        # zipfile raises whatever its parts raise: zlib, lzma, bz2, struct, codecs, ...
        raise BadWheelError(f"it is not a readable zip archive ({one_line(str(error))})") from error


def _is_dist_info_of(name: str, wheel: Wheel) -> bool:
    stem = name.partition("/")[0].removesuffix(".dist-info")
    return canonicalize_name(stem.rpartition("-")[0] or stem) == wheel.name


class RemoteFile(io.RawIOBase):
    """A file behind HTTP range requests, with what was read kept; for ``zipfile``.

    ``fetch`` gets the value of a Range header and returns the part. The first read takes the
    end of the file, where a zip archive has its directory.
    """

    def __init__(self, fetch: Callable[[str], Part], size: int | None) -> None:
        super().__init__()
        self._fetch = fetch
        tail = LARGE_TAIL if size is not None and size > LARGE_WHEEL else TAIL
        part = fetch(f"-{tail}")
        self._size = part.total
        self._parts: list[tuple[int, bytes]] = [(part.start, part.body)]
        self._position = 0
        self.whole = part.body if part.whole else None

    def seekable(self) -> bool:
        """Say that ranges can start anywhere."""
        return True

    def readable(self) -> bool:
        """Say that reading is possible."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes, from what is kept or with one request."""
        end = self._size if size < 0 else min(self._size, self._position + size)
        if end <= self._position:
            return b""
        self.expect(self._position, end - self._position)
        start = self._position
        self._position = end
        for offset, body in reversed(self._parts):
            if offset <= start and end <= offset + len(body):
                return body[start - offset : end - offset]
        raise AssertionError

    def expect(self, start: int, length: int) -> None:
        """Have a stretch ready in one piece."""
        end = min(self._size, start + length)
        if any(at <= start and end <= at + len(body) for at, body in self._parts):
            return
        # A zip directory is read from its start to the end of the file, most of which is here.
        for at, body in self._parts:
            if start < at < end <= at + len(body):
                self._parts.append((start, self._exactly(start, at) + body))
                return
        self._parts.append((start, self._exactly(start, end)))

    def _exactly(self, start: int, end: int) -> bytes:
        if end - start > LARGEST_READ:
            raise BadWheelError("its directory or METADATA is larger than that of any wheel")
        part = self._fetch(f"{start}-{end - 1}")
        if part.start != start or len(part.body) != end - start:
            raise BadWheelError("the index sent another part of the file than was asked for")
        return part.body
