"""Files below a folder, without ever following a symbolic link or opening what is not a file."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
from typing import IO, TYPE_CHECKING

from rdna1_lock.regular import not_regular, open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 1 << 20


class Folders:
    """Remembers which folders are real ones all the way down from a root."""

    def __init__(self, roots: list[str]) -> None:
        self._real = dict.fromkeys(roots, True)

    def real(self, folder: str) -> bool:
        """Say whether a folder exists below a root and is reached without a symbolic link."""
        known = self._real.get(folder)
        if known is None:
            parent = os.path.dirname(folder)
            known = parent != folder and self.real(parent) and _is_folder(folder)
            self._real[folder] = known
        return known

    def make(self, folder: str) -> None:
        """Make a folder and those above it.

        Raises:
            OSError: one of them is a file or a symbolic link, or cannot be made.

        """
        if self._real.get(folder):
            return
        parent = os.path.dirname(folder)
        if parent == folder:
            raise not_regular(folder)
        self.make(parent)
        try:
            os.mkdir(folder)
        except FileExistsError:
            if not _is_folder(folder):
                raise
        self._real[folder] = True

    def regular(self, path: str) -> os.stat_result | None:
        """Return what a path is if it is a regular file below a root, else None."""
        if not self.real(os.path.dirname(path)):
            return None
        try:
            found = os.lstat(path)
        except OSError:
            return None
        return found if stat.S_ISREG(found.st_mode) else None


def walk(root: str) -> Iterator[str]:
    """Yield everything below a folder that is not a folder itself; links are not followed."""
    waiting = [root]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except (FileNotFoundError, NotADirectoryError):
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            else:
                yield entry.path


def digest(file: IO[bytes], algorithm: str = "sha256") -> str:
    """Return a digest as RECORD writes it: base64url without padding."""
    found = hashlib.new(algorithm)
    while chunk := file.read(CHUNK):
        found.update(chunk)
    return base64.urlsafe_b64encode(found.digest()).rstrip(b"=").decode()


def digest_of(path: str, algorithm: str = "sha256") -> str | None:
    """Return the digest of a file, None where it is not a regular file or cannot be read."""
    try:
        with open_regular(path, follow=False) as file:
            return digest(file, algorithm)
    except OSError:
        return None


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False
