"""Say what is installed next to an interpreter: run by that interpreter, standard library only.

Any CPython from 3.7 on; nothing is imported from what is installed. Prints one JSON object.
Functions here are also called by rdna1-lock itself for an environment whose interpreter is broken.
"""

from __future__ import annotations

import sys

if __name__ == "__main__" and sys.path and sys.path[0] == __file__.rpartition("/")[0]:
    del sys.path[0]  # our own folder must not shadow anything

import csv
import io
import json
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing costs 10 ms to import
    from typing import Any

WANTED = ("name", "version", "requires-dist", "requires-python", "provides-extra")
PREFIXES = ("HSA_", "HIP_", "ROCR_", "ROCM_", "MIOPEN_", "PYTORCH_", "GPU_", "CUDA_VISIBLE_")
PATHS = ("purelib", "platlib", "scripts", "data", "include")
# Bounds for files that others wrote.
LONGEST = 16 << 20
LARGEST_RECORD = 32 << 20
NAMES = ("LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONPATH", "PYTHONHOME")


def read_file(path: str, limit: int) -> bytes:
    """Return the start of a regular file; what a name leads to may be a device or a FIFO.

    Raises OSError where it is something else or cannot be read.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError("not a regular file")
        return file.read(limit)


def read_metadata(path: str) -> dict[str, Any] | None:
    """Return the fields of a METADATA or PKG-INFO file that are asked for, in lower case."""
    found: dict[str, Any] = {"requires-dist": [], "provides-extra": []}
    try:
        text = read_file(path, LONGEST).decode("utf-8", "replace")
    except (OSError, ValueError):
        return None
    for line in io.StringIO(text):
        if line in ("\n", "\r\n"):
            break
        key, colon, value = line.partition(":")
        key = key.lower()
        if not colon or key not in WANTED:
            continue
        if key in ("requires-dist", "provides-extra"):
            found[key].append(value.strip())
        else:
            found.setdefault(key, value.strip())
    return found


def read_text(path: str) -> str | None:
    """Return the first line of a small file, None without one."""
    try:
        return read_file(path, 4096).decode("utf-8", "replace").partition("\n")[0].strip() or None
    except OSError:
        return None


def read_json(path: str) -> Any:
    """Return the data of a JSON file, None without one."""
    try:
        return json.loads(read_file(path, LONGEST).decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def distributions(places: list[str]) -> list[dict[str, Any]]:
    """Return every distribution in the given folders, in the order in which Python finds them."""
    found = []
    for place in places:
        try:
            names = sorted(os.listdir(place))
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            continue
        for name in names:
            path = os.path.join(place, name)
            if name.endswith(".dist-info"):
                metadata = read_metadata(os.path.join(path, "METADATA"))
            elif name.endswith(".egg-info"):
                inner = os.path.join(path, "PKG-INFO")
                metadata = read_metadata(inner if os.path.isdir(path) else path)
            else:
                continue
            if metadata is None:
                # An interrupted removal leaves a folder without METADATA.
                metadata = {"requires-dist": [], "provides-extra": []}
            stem = name.rsplit(".", 1)[0]
            found.append(
                {
                    "name": metadata.get("name") or stem.split("-")[0],
                    "version": metadata.get("version"),
                    "requires": metadata["requires-dist"],
                    "extras": metadata["provides-extra"],
                    "installer": read_text(os.path.join(path, "INSTALLER")),
                    "direct_url": read_json(os.path.join(path, "direct_url.json")),
                    "path": path,
                    "place": place,
                }
            )
    return found


def changed_files(path: str, place: str, hashed: bool) -> list[tuple[str, str]] | None:
    """Return (file, what) for recorded files that are not as recorded.

    By size, and with ``hashed`` by hash; compiled files are left out. None without a RECORD that
    can be read.
    """
    found = []
    try:
        text = read_file(os.path.join(path, "RECORD"), LARGEST_RECORD).decode("utf-8")
        for row in csv.reader(io.StringIO(text, newline="")):
            if len(row) < 3 or not row[1] or row[0].endswith(".pyc"):
                continue
            what = changed_file(os.path.join(place, row[0]), row, hashed)
            if what:
                found.append((row[0], what))
    except (OSError, ValueError, csv.Error):
        return None
    return found


def changed_file(full: str, row: list[str], hashed: bool) -> str | None:
    """Say what is wrong with one recorded file, None where nothing is."""
    try:
        status = os.stat(full)
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return "is missing"
    if not stat.S_ISREG(status.st_mode):
        return "is not a regular file"
    if row[2].isdigit() and str(status.st_size) != row[2].lstrip("0").rjust(1, "0"):
        return "has another size"
    if hashed and not same_hash(full, row[1]):
        return "has another hash"
    return None


def same_hash(path: str, recorded: str) -> bool:
    """Say whether a file has the recorded hash (``sha256=...``); unknown algorithms pass."""
    import base64
    import hashlib

    algorithm, _, value = recorded.partition("=")
    if algorithm not in ("sha256", "sha384", "sha512"):
        return True
    digest = hashlib.new(algorithm)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return False
            for chunk in iter(lambda: file.read(1 << 20), b""):
                digest.update(chunk)
    except OSError:
        return False
    return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode() == value.rstrip("=")


def main() -> dict[str, Any]:
    """Return what this interpreter is and sees."""
    import platform
    import sysconfig

    places = []
    for entry in sys.path:
        if entry and os.path.isdir(entry) and os.path.realpath(entry) not in places:
            places.append(os.path.realpath(entry))
    try:
        libc = os.confstr("CS_GNU_LIBC_VERSION")
    except (AttributeError, ValueError, OSError):
        libc = None
    return {
        "version": ".".join(map(str, sys.version_info[:3])),
        "implementation": platform.python_implementation(),
        "machine": platform.machine(),
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "libc": (libc or "").rpartition(" ")[2] or None,
        "paths": {key: sysconfig.get_path(key) for key in PATHS},
        "distributions": distributions(places),
        "variables": {
            key: value
            for key, value in os.environ.items()
            if key.startswith(PREFIXES) or key in NAMES
        },
    }


if __name__ == "__main__":
    json.dump(main(), sys.stdout)
