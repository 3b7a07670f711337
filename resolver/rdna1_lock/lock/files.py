"""Write the files of a lock at once: the old ones or the new ones, never half of either."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rdna1_lock.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def write_files(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    """Write files into a folder; returns those whose text changed.

    All are written under temporary names first and renamed when every one is complete. A second
    run on the same folder waits.

    Raises:
        InputError: when the folder cannot be written; the old files are as they were.

    """
    staged: list[tuple[str, Path]] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            for left in folder.glob(".new-*"):  # of a run that was killed
                left.unlink()
            changed = [
                name for name, text in texts.items() if _read(folder / name) != text.encode()
            ]
            for name in changed:
                staged.append((_stage(folder, texts[name]), folder / name))  # noqa: PERF401  # a failure must find what is staged
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


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _stage(folder: Path, text: str) -> str:
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644 & ~_umask())
    except OSError:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
    return temporary


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
