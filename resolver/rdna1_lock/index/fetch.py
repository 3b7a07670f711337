"""Fetch a file to disk: resumed after a break, hashed while it streams, never half there."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import stat
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from rdna1_lock.errors import InputError, IntegrityError
from rdna1_lock.hashes import agree, is_right
from rdna1_lock.index.http_errors import (
    broken_stream,
    from_library,
    network_error,
    status_error,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rdna1_lock.index.http import Http

# Attempts in a row that bring no byte; and breaks in all, so that a drip ends some day.
BARREN_ATTEMPTS = 4
MOST_BREAKS = 60
# What must stay free on the disk.
RESERVE = 16 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A file by its URL and hash; ``size`` is None where nobody states it."""

    filename: str
    url: str
    sha256: str
    size: int | None


def fetch_file(
    http: Http, wanted: Wanted, folder: Path, progress: Callable[[str, int, int | None], None]
) -> bool:
    """Ensure that a file exists in a folder and matches its hash; False if it already did.

    Resumes from ``.NAME.part``, which may be of an earlier process. A second process that wants
    the same file waits for the first.

    Raises:
        IntegrityError: the bytes are not those that were locked.
        NetworkError: the server cannot be reached or gives up too often.
        InputError: the disk is full or cannot be written.

    """
    final = folder / wanted.filename
    if is_right(final, wanted.sha256):
        return False
    part = folder / f".{wanted.filename}.part"
    try:
        with alone(part) as file:
            if is_right(final, wanted.sha256):  # the process that we waited for was quicker
                part.unlink(missing_ok=True)
                return False
            final.unlink(missing_ok=True)
            _fill(http, wanted, file, progress)
            file.flush()
            os.fsync(file.fileno())
            part.replace(final)
    except OSError as error:
        raise _disk_error(folder, error) from error
    return True


@contextlib.contextmanager
def alone(part: Path) -> Iterator[IO[bytes]]:
    """Open the unfinished file for one process alone.

    A folder of wheels may come from somebody else, so nothing is written through a link.

    Raises:
        InputError: the name is taken by a link or by something that is not a file.
        OSError: it cannot be opened.

    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    while True:
        try:
            handle = os.open(part, flags, 0o666)
        except OSError as error:
            # ENXIO: a socket; EISDIR: a folder.
            if error.errno in {errno.ELOOP, errno.ENXIO, errno.EISDIR}:
                raise _not_ours(part) from error
            raise
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
            os.close(handle)
            raise _not_ours(part)
        with os.fdopen(handle, "a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # The file may have been finished and renamed while we waited for it.
            try:
                same = os.fstat(file.fileno()).st_ino == part.lstat().st_ino
            except FileNotFoundError:
                same = False
            if same:
                yield file
                return


def _not_ours(part: Path) -> InputError:
    return InputError(
        "foreign-files",
        f"{part} is a link, or not a file, and rdna1-lock does not write through it",
        hint="delete it, or choose another folder with --dest",
    )


def _fill(
    http: Http,
    wanted: Wanted,
    file: IO[bytes],
    progress: Callable[[str, int, int | None], None],
) -> None:
    digest, done = _rehash(file)
    resumed = done > 0
    barren = breaks = 0
    while True:
        before = done
        try:
            with http.open_from(wanted.url, done) as opened:
                if opened.at != done:  # ranges are not known here, or there is nothing further
                    file.truncate(0)
                    digest, done, resumed = hashlib.sha256(), 0, False
                    if opened.at < 0:
                        # Asked from the start on, a server that knows the file sends it.
                        barren += 1
                        if barren >= BARREN_ATTEMPTS:
                            raise status_error(wanted.url, 416)
                        continue
                _check_size(wanted, opened.total)
                _check_space(file, (opened.total or 0) - done)
                for chunk in opened.chunks:
                    file.write(chunk)
                    digest.update(chunk)
                    done += len(chunk)
                    progress(wanted.filename, done, opened.total)
                    if wanted.size is not None and done > wanted.size:
                        break
        except Exception as error:
            if not from_library(error):
                raise
            if not broken_stream(error):
                raise network_error(wanted.url, error) from error
            barren = barren + 1 if done == before else 0
            breaks += 1
            if barren >= BARREN_ATTEMPTS or breaks >= MOST_BREAKS:
                raise network_error(wanted.url, error) from error
            file.flush()
            time.sleep(min(0.2 * 2**barren, 3.0))
            continue
        if digest.hexdigest() == wanted.sha256:
            return
        file.truncate(0)
        if not resumed:
            agree(
                wanted.filename,
                {"the lock": wanted.sha256, wanted.url: digest.hexdigest()},
                more=(f"received {done} bytes, none of which were kept",),
                hint="do not install it from there, and report it to the owner of the index",
            )
        # What an earlier run left may have been wrong: once more, from the start.
        digest, done, resumed = hashlib.sha256(), 0, False


def _rehash(file: IO[bytes]) -> tuple[hashlib._Hash, int]:
    digest, done = hashlib.sha256(), 0
    file.seek(0)
    while chunk := file.read(1 << 20):
        digest.update(chunk)
        done += len(chunk)
    return digest, done


def _check_size(wanted: Wanted, total: int | None) -> None:
    if wanted.size is not None and total is not None and total != wanted.size:
        raise IntegrityError(
            "wheel-size",
            f"{wanted.filename} has another size than was locked",
            facts=(f"locked: {wanted.size} bytes", f"offered: {total} bytes", f"by {wanted.url}"),
            hint="do not install it; bytes were replaced under one name, or the index is broken",
        )


def _check_space(file: IO[bytes], needed: int) -> None:
    found = os.fstatvfs(file.fileno())
    if needed + RESERVE > found.f_bavail * found.f_frsize:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _disk_error(folder: Path, error: OSError) -> InputError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return InputError(
            "no-space",
            f"{folder}: there is not enough free space",
            hint="free some and run again (what has come is kept), or choose another --dest",
        )
    return InputError(
        "cannot-write",
        f"{folder} cannot be written: {error.strerror or error}",
        hint="choose another place with --dest",
    )
