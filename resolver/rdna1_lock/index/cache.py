"""Bytes on disk that can be had again; a damaged or missing entry is just not there."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rdna1_lock.regular import read_regular

if TYPE_CHECKING:
    from collections.abc import Mapping


def default_cache_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Return ``$RDNA1_LOCK_CACHE_DIR``, else the user's cache folder."""
    chosen = environ.get("RDNA1_LOCK_CACHE_DIR")
    if chosen:
        return Path(chosen)
    from platformdirs import user_cache_path  # 15 ms that --check does not need

    return user_cache_path("rdna1-lock", appauthor=False)


# The form of the entries; a change of form is a new folder.
FORMAT = "v1"
# A page of an index takes at most 32 MiB, and no more as what was read from it.
LARGEST = 256 * 2**20


class Cache:
    """A folder of entries, each with the hash of its content in front.

    Writing goes through a temporary file and a rename, so that two processes, a killed one and
    a full disk leave whole entries. A cache that cannot be written is not an error.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def _path(self, kind: str, key: str) -> Path | None:
        if self._folder is None:
            return None
        digest = hashlib.sha256(key.encode()).hexdigest()
        return self._folder / FORMAT / kind / digest[:2] / digest[2:]

    def get(self, kind: str, key: str) -> bytes | None:
        """Return an entry, or None where it is missing or damaged."""
        path = self._path(kind, key)
        if path is None:
            return None
        try:
            stored = read_regular(path, LARGEST)
        except OSError:
            return None
        head, _, body = stored.partition(b"\n")
        if head.decode("ascii", "replace") != hashlib.sha256(body).hexdigest():
            return None
        return body

    def put(self, kind: str, key: str, body: bytes) -> None:
        """Store an entry, replacing an older one at once or not at all."""
        path = self._path(kind, key)
        if path is None:
            return
        temporary: str | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
            Path(temporary).replace(path)
        except OSError:
            if temporary is not None:
                with contextlib.suppress(OSError):
                    Path(temporary).unlink()
