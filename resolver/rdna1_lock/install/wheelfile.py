"""A locked wheel, opened within bounds: what it holds, and what its RECORD says of it.

The hash of a locked wheel says who wrote it, not that it is harmless. So sizes are bounded before
anything is unpacked, and names are held to their form before anything is written.
"""

from __future__ import annotations

import configparser
import contextlib
import csv
import io
import stat
import zipfile
from typing import IO, TYPE_CHECKING, Any, cast

from installer.exceptions import InstallerError
from installer.sources import WheelSource
from packaging.utils import canonicalize_name, parse_wheel_filename

from rdna1_lock.errors import Error, InputError, one_line
from rdna1_lock.regular import open_regular
from rdna1_lock.text import one_line as one_printable_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from installer.sources import WheelContentElement

# The central directory of the largest known wheels takes 4 MB.
LARGEST_DIRECTORY = 16 * 2**20
LARGEST_RECORD = 32 * 2**20
LARGEST_METADATA = 16 * 2**20
# A larger one stays as it is: its first line is not that of a text.
LARGEST_SCRIPT = 16 * 2**20
# How a script begins that gets the path of its interpreter when it is installed (PEP 427).
INTERPRETER = b"#!python"
MOST_MEMBERS = 250_000
# What all members may unpack to; real wheels unpack to less than ten times their size.
FREE_SIZE, MOST_RATIO = 2**30, 50
# Written by whoever installs, so not by a wheel.
INSTALLERS_OWN = {"INSTALLER", "REQUESTED", "direct_url.json"}
STRONG = ("sha256", "sha384", "sha512")
_END, _END_64, _LOCATOR_64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_TAIL = 65_557 + 76


class Member:
    """A file of a wheel, opened only by who needs its bytes."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
        self._archive = archive
        self.info = info

    def open(self) -> IO[bytes]:
        """Open it; zipfile ends at the stated size and checks the CRC."""
        return self._archive.open(self.info)

    @property
    def executable(self) -> bool:
        """Whether the wheel wants it executable."""
        mode = self.info.external_attr >> 16
        return stat.S_ISREG(mode) and bool(mode & 0o111)


class Wheel(WheelSource):
    """The files of a wheel by name, and the strong hashes that its RECORD states."""

    def __init__(self, filename: str, archive: zipfile.ZipFile, size: int) -> None:
        name, version, _, _ = parse_wheel_filename(filename)
        super().__init__(name, str(version))
        self.filename = filename
        # Of two members of one name, every reader takes the last.
        self.members = {
            info.filename: Member(archive, info) for info in archive.infolist() if not info.is_dir()
        }
        self._check(size)
        tops = {name.partition("/")[0] for name in self.members}
        self._dist_info = self._only(tops, ".dist-info")
        stem = (self._dist_info or "").removesuffix(".dist-info")
        names = {canonicalize_name(part(stem, "-")[0]) for part in (str.partition, str.rpartition)}
        if self._dist_info is None or name not in names:
            raise bad_wheel(filename, "it has no dist-info folder of its own name")
        self._data = self._only(tops, ".data") or f"{stem}.data"
        self.recorded = self._read_record()

    @property
    def dist_info_dir(self) -> str:
        """The folder of the metadata."""
        return cast("str", self._dist_info)

    @property
    def data_dir(self) -> str:
        """The folder of files that go elsewhere than to site-packages."""
        return self._data

    @property
    def dist_info_filenames(self) -> list[str]:
        """The names of the metadata files."""
        start = f"{self._dist_info}/"
        return [name.removeprefix(start) for name in self.members if name.startswith(start)]

    def read_dist_info(self, filename: str) -> str:
        """Return the text of a metadata file; of entry_points.txt, the scripts alone."""
        text = self._read(f"{self._dist_info}/{filename}", LARGEST_METADATA).decode("utf-8")
        return _scripts_only(text) if filename == "entry_points.txt" else text

    def get_contents(self) -> Iterator[WheelContentElement]:
        """Yield what is to be installed, as `Member`: compiled files and what installers write not."""
        own = {f"{self._dist_info}/{name}" for name in INSTALLERS_OWN}
        for name, member in self.members.items():
            if name not in own and "__pycache__" not in name.split("/"):
                yield (name, "", ""), cast("Any", member), member.executable

    @property
    def unpacked(self) -> int:
        """The bytes that all files take."""
        return sum(member.info.file_size for member in self.members.values())

    def _check(self, size: int) -> None:
        if len(self.members) > MOST_MEMBERS:
            raise bad_wheel(self.filename, f"it has {len(self.members)} files")
        if self.unpacked > FREE_SIZE + MOST_RATIO * size:
            raise bad_wheel(self.filename, f"{size} bytes unpack to {self.unpacked}")
        for name in self.members:
            if name.startswith("/") or {"", ".", ".."} & set(name.split("/")) or "\0" in name:
                raise bad_wheel(self.filename, f"it has a file {name!r}")
        folders = {parent for name in self.members for parent in _parents(name)}
        # installer looks for the scheme of a file that is the data folder itself without end.
        both = sorted(
            name
            for name in self.members
            if name in folders or ("/" not in name and name.endswith((".data", ".dist-info")))
        )
        if both:
            raise bad_wheel(self.filename, f"it has a file {both[0]!r} where a folder belongs")

    def _only(self, tops: set[str], ending: str) -> str | None:
        found = sorted(name for name in tops if name.endswith(ending))
        if len(found) > 1:
            raise bad_wheel(self.filename, f"it has {' and '.join(found[:3])}")
        return found[0] if found else None

    def _read(self, name: str, limit: int) -> bytes:
        member = self.members[name]
        if member.info.file_size > limit:
            raise bad_wheel(self.filename, f"{name} has {member.info.file_size} bytes")
        with member.open() as file:
            return file.read()

    def _read_record(self) -> dict[str, str]:
        """Return the hashes that RECORD states, of the algorithms that prove something."""
        text = self._read(f"{self._dist_info}/RECORD", LARGEST_RECORD).decode("utf-8")
        found = {}
        for row in read_rows(io.StringIO(text, newline="")):
            if len(row) > 1 and row[0] in self.members and row[1].partition("=")[0] in STRONG:
                found[row[0]] = row[1]
            elif row and (row[0].startswith("/") or ".." in row[0].split("/")):
                raise bad_wheel(self.filename, f"its RECORD names {row[0]!r}")
        return found


@contextlib.contextmanager
def open_wheel(path: Path) -> Iterator[Wheel]:
    """Open a wheel.

    Raises:
        InputError: it is not one, or one that no installer should unpack.

    """
    with contextlib.ExitStack() as stack:
        with reading(path.name):
            file = stack.enter_context(open_regular(path))
            size = _check_directory(path.name, file)
            archive = stack.enter_context(zipfile.ZipFile(file))
            wheel = Wheel(path.name, archive, size)
        yield wheel


@contextlib.contextmanager
def reading(filename: str) -> Iterator[None]:
    """Turn whatever unpacking a wheel raises into the error for a bad wheel.

    zipfile, zlib, lzma, csv, configparser and installer raise some twenty kinds, assertions too.

    Raises:
        InputError: something did.

    """
    try:
        yield
    except Error:
        raise
    except OSError as error:
        raise bad_wheel(filename, error.strerror or one_line(error)) from error
    except AssertionError as error:
        raise bad_wheel(
            filename, "a part of it is not in the form that the standards give"
        ) from error
    except InstallerError as error:
        # Its first argument is the object that it speaks of.
        raise bad_wheel(filename, str(error.args[-1])) from error
    except Exception as error:
        raise bad_wheel(filename, one_line(error)) from error


def bad_wheel(filename: str, why: str) -> InputError:
    """Return the error for a wheel that cannot be read, or should not be unpacked."""
    return InputError(
        "bad-wheel",
        f"{filename} cannot be installed: {one_printable_line(why, 300)}",
        hint="its hash is the locked one, so the release itself is like this: lock another version",
    )


def read_rows(lines: io.StringIO) -> Iterator[list[str]]:
    """Yield the rows of a RECORD; more than a distribution can have are an error.

    Raises:
        ValueError: there are too many.

    """
    for number, row in enumerate(csv.reader(lines)):
        if number > 2 * MOST_MEMBERS:
            raise ValueError("RECORD has too many rows")
        yield row


def _parents(name: str) -> Iterator[str]:
    while (at := name.rfind("/")) > 0:
        name = name[:at]
        yield name


def _check_directory(filename: str, file: IO[bytes]) -> int:
    """Bound the central directory, which zipfile reads as a whole; returns the size of the file.

    APPNOTE.TXT, sections 4.3.14 and 4.3.16: its size stands 12 bytes into the end record, or, where
    that is all ones, 40 bytes into the one of ZIP64.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - _TAIL))
    tail = file.read()
    file.seek(0)
    # The record is where zipfile looks for it: at the very end, else before the last comment.
    at = len(tail) - 22 if tail[-22:-18] == _END and tail[-2:] == b"\0\0" else tail.rfind(_END)
    if at < 0:
        raise bad_wheel(filename, "it is not a zip file, or cut off")
    directory = int.from_bytes(tail[at + 12 : at + 16], "little")
    if at >= 76 and tail[at - 20 : at - 16] == _LOCATOR_64 and tail[at - 76 : at - 72] == _END_64:
        directory = int.from_bytes(tail[at - 36 : at - 28], "little")
    if directory > LARGEST_DIRECTORY:
        raise bad_wheel(filename, f"its directory has {directory} bytes")
    return size


def _scripts_only(text: str) -> str:
    """Return the sections of entry_points.txt that are installed, in a form without surprises."""
    parser = configparser.ConfigParser(delimiters="=", strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(text)
    lines = []
    for section in ("console_scripts", "gui_scripts"):
        if parser.has_section(section):
            lines.append(f"[{section}]")
            for name, value in parser.items(section):
                plain = value.partition("#")[0].strip().replace("%", "%%")
                lines.append(f"{name} = {plain}")
    return "\n".join(lines) + "\n"
