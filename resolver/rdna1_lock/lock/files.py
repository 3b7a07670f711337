"""Write the files of a lock at once: the old ones or the new ones, never half of either."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import stat
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from rdna1_lock.errors import InputError
from rdna1_lock.regular import read_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# Larger than any file of a lock folder.
LARGEST = 32 * 2**20
_PREFIX, _SUFFIX = ".rdna1-lock-", ".tmp"
_TEMPORARY = re.compile(rf"{re.escape(_PREFIX)}[a-z0-9_]{{8}}{re.escape(_SUFFIX)}")
# A file system without flock, as some network file systems are.
_NO_LOCKS = {errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}
_POLL = 0.1

Foreign: TypeAlias = "Callable[[Mapping[str, bytes | None]], list[str]]"


def write_files(
    folder: Path, texts: Mapping[str, str], *, foreign: Foreign | None = None
) -> list[Path]:
    """Write files into a folder; returns those whose text changed.

    All are written under temporary names first and renamed when every one is complete. A second
    run on the same folder waits. ``foreign`` gets the content of the files that exist (None for
    what is not a readable file) and returns the names of those that must not be replaced.

    Raises:
        InputError: the folder cannot be written, or a file in it is not ours; the old files are
            as they were.

    """
    staged: list[tuple[str, Path]] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with hold_folder(folder):
            _sweep(folder)
            existing = {name: _read(folder / name) for name in texts if _exists(folder / name)}
            if foreign is not None and (names := foreign(existing)):
                raise foreign_files(folder, names)
            changed = [name for name, text in texts.items() if existing.get(name) != text.encode()]
            for name in changed:
                staged.append((_stage(folder, texts[name].encode()), folder / name))  # noqa: PERF401  # a failure must find what is staged
            for temporary, final in staged:
                Path(temporary).replace(final)
            return [folder / name for name in changed]
    except OSError as error:
        for temporary, _ in staged:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        raise InputError(
            "cannot-write",
            f"{folder} cannot be written: {error.strerror or error}",
            hint="free some space or choose another place with --output-dir; the old files are as they were",
        ) from error


def foreign_files(folder: Path, names: list[str]) -> InputError:
    """Return the error for files that rdna1-lock did not write and will not replace."""
    return InputError(
        "foreign-files",
        f"rdna1-lock did not write {' and '.join(names)} in {folder}, and does not replace them",
        facts=tuple(str(folder / name) for name in names),
        hint="move them away, or write to another place (`resolve --output-dir DIR`, `--output FILE`);"
        " nothing was written",
    )


def replace_file(path: Path, content: bytes, mode: int | None = None) -> None:
    """Replace a file by rename, so that it has the old content or the new one, never a part.

    Raises:
        OSError: the folder cannot be written; the old file is as it was.

    """
    temporary = _stage(path.parent, content, mode)
    try:
        Path(temporary).replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


@contextlib.contextmanager
def hold_folder(
    folder: Path, *, shared: bool = False, waiting: Callable[[int], None] | None = None
) -> Iterator[int]:
    """Hold a folder for this process alone, or for all that only read; yields the handle.

    While another process holds it, ``waiting`` is called with the number of the attempt and may
    raise.

    Raises:
        OSError: the folder cannot be opened.

    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        for attempt in range(1 << 62):
            try:
                fcntl.flock(handle, how | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if waiting is not None:
                    waiting(attempt)
                time.sleep(_POLL)
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    raise
                break
        yield handle
    finally:
        os.close(handle)


def _sweep(folder: Path) -> None:
    """Delete the temporary files of a run that was killed.

    Only a run that holds the folder makes them, and we hold it: so they are nobody's.
    """
    for entry in os.scandir(folder):
        if _TEMPORARY.fullmatch(entry.name):
            found = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_uid == os.geteuid():
                Path(entry.path).unlink(missing_ok=True)


def _exists(path: Path) -> bool:
    return path.is_symlink() or path.exists()


def _read(path: Path) -> bytes | None:
    try:
        return read_regular(path, LARGEST, follow=False)
    except OSError:
        return None


def _stage(folder: Path, content: bytes, mode: int | None = None) -> str:
    # mkstemp opens with O_EXCL and O_NOFOLLOW under a random name.
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=_PREFIX, suffix=_SUFFIX)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), 0o644 & ~_umask() if mode is None else mode)
            os.fsync(file.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
    return temporary


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
