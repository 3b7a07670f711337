"""Say what is installed beside an interpreter: run by that interpreter, standard library only.

Any CPython from 3.7 on; nothing is imported from what is installed. Prints one JSON object.
Functions here are also called by rdna1-lock itself for an environment whose interpreter is broken.
"""

from __future__ import annotations

import sys

if __name__ == "__main__" and sys.path and sys.path[0] == __file__.rpartition("/")[0]:
    del sys.path[0]  # our own folder must not shadow anything

import csv
import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing costs 10 ms to import
    from typing import Any

WANTED = ("name", "version", "requires-dist", "requires-python", "provides-extra")
PREFIXES = ("HSA_", "HIP_", "ROCR_", "ROCM_", "MIOPEN_", "PYTORCH_", "GPU_", "CUDA_VISIBLE_")
PATHS = ("purelib", "platlib", "scripts", "data", "include")
NAMES = ("LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONPATH", "PYTHONHOME")


def read_metadata(path: str) -> dict[str, Any] | None:
    """Return the fields of a METADATA or PKG-INFO file that are asked for, in lower case."""
    found: dict[str, Any] = {"requires-dist": [], "provides-extra": []}
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
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
    except OSError:
        return None
    return found


def read_text(path: str) -> str | None:
    """Return the first line of a small file, None without one."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.readline().strip() or None
    except OSError:
        return None


def read_json(path: str) -> Any:
    """Return the data of a JSON file, None without one."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
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

    By size, and with ``hashed`` by hash; compiled files are left out. None without a RECORD.
    """
    found = []
    try:
        with open(os.path.join(path, "RECORD"), encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                if len(row) < 3 or not row[1] or row[0].endswith(".pyc"):
                    continue
                full = os.path.join(place, row[0])
                try:
                    size = os.stat(full).st_size
                except OSError:
                    found.append((row[0], "is missing"))
                    continue
                if row[2].isdigit() and size != int(row[2]):
                    found.append((row[0], "has another size"))
                elif hashed and not same_hash(full, row[1]):
                    found.append((row[0], "has another hash"))
    except (OSError, UnicodeDecodeError, csv.Error):
        return None
    return found


def same_hash(path: str, recorded: str) -> bool:
    """Say whether a file has the recorded hash (``sha256=...``); unknown algorithms pass."""
    import base64
    import hashlib

    algorithm, _, value = recorded.partition("=")
    if algorithm not in ("sha256", "sha384", "sha512"):
        return True
    digest = hashlib.new(algorithm)
    try:
        with open(path, "rb") as file:
            for chunk in iter(lambda: file.read(1 << 20), b""):
                digest.update(chunk)
    except OSError:
        return False
    return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode() == value


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
