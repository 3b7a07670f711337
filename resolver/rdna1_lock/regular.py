"""Open files that others may have put there: regular ones only, so that nothing blocks or floods.

A name in a folder that somebody shared can be a device, a FIFO or a symbolic link to either.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def open_regular(path: Path | str, *, follow: bool = True) -> IO[bytes]:
    """Open a regular file for reading; without ``follow``, its name is not a symbolic link.

    Raises:
        OSError: it is something else, or cannot be opened.

    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    handle = os.open(path, flags)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise not_regular(path)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_regular(path: Path | str, limit: int, *, follow: bool = True) -> bytes:
    """Read a regular file of at most ``limit`` bytes.

    Raises:
        OSError: it is larger, something else, or cannot be read.

    """
    with open_regular(path, follow=follow) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return content


def not_regular(path: Path | str) -> OSError:
    """Return the error for a name that is not an ordinary file with one name."""
    return OSError(errno.EINVAL, "is not a regular file", str(path))
