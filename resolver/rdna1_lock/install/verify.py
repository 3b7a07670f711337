"""Hold an environment against a lock, file by file, with the RECORD of each locked wheel."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from rdna1_lock.errors import InputError
from rdna1_lock.install.wheels import locked_filename

if TYPE_CHECKING:
    from rdna1_lock.install.interpreter import Interpreter
    from rdna1_lock.lock.model import Lock

# Where the parts of NAME.data go, by sysconfig's names; scripts get a new first line.
SCHEMES = {"purelib": "purelib", "platlib": "platlib", "data": "data", "headers": "include"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as locked: missing, changed, extra or wrong-version."""

    kind: str
    package: str
    what: str


def compare(lock: Lock, wheels: Path, environment: Interpreter) -> list[Difference]:
    """Return every difference between an environment and a lock.

    ``wheels`` holds the locked wheels; they have been verified by hash, so the RECORD inside
    them is to be trusted.
    """
    installed: dict[str, list[str]] = {}
    for name, version, _ in environment.distributions:
        installed.setdefault(canonicalize_name(name or "unknown"), []).append(version)
    found: list[Difference] = []
    for package in lock.packages:
        name = str(package.name)
        versions = installed.pop(name, [])
        if not versions:
            found.append(Difference(kind="missing", package=name, what=str(package.version)))
        elif versions != [str(package.version)]:
            what = " and ".join(versions)
            found.append(Difference(kind="wrong-version", package=name, what=what))
        else:
            found += _compare_files(name, wheels / locked_filename(package), environment)
    for name, versions in sorted(installed.items()):
        found.append(Difference(kind="extra", package=name, what=" and ".join(versions)))
    return found


def _compare_files(name: str, wheel: Path, environment: Interpreter) -> list[Difference]:
    found = []
    for path, digest in _expected(wheel, environment):
        try:
            with path.open("rb") as file:
                actual = _digest(file)
        except OSError:
            found.append(Difference(kind="missing", package=name, what=str(path)))
            continue
        if actual != digest:
            found.append(Difference(kind="changed", package=name, what=str(path)))
    return found


def _expected(wheel: Path, environment: Interpreter) -> list[tuple[Path, str]]:
    """Return where each file of a wheel belongs, and its hash."""
    rows: list[tuple[Path, str]] = []
    try:
        with zipfile.ZipFile(wheel) as archive:
            [record] = [
                n
                for n in archive.namelist()
                if n.endswith(".dist-info/RECORD") and n.count("/") == 1
            ]
            text = archive.read(record).decode("utf-8")
            pure = b"Root-Is-Purelib: true" in archive.read(record.replace("RECORD", "WHEEL"))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise InputError("bad-wheel", f"{wheel.name} cannot be read: {error}") from error
    root = Path(environment.paths["purelib" if pure else "platlib"])
    for row in csv.reader(io.StringIO(text)):
        # numpy ships a compiled file, which pip and Python write anew from its source.
        compiled = row[0].endswith(".pyc") if row else True
        if compiled or len(row) < 2 or not row[1].startswith("sha256="):
            continue
        top, _, rest = row[0].partition("/")
        base, inner = root, row[0]
        if top.endswith(".data"):
            scheme, _, inner = rest.partition("/")
            if scheme not in SCHEMES:
                continue
            base = Path(environment.paths[SCHEMES[scheme]])
        rows.append((base / inner, row[1].removeprefix("sha256=")))
    return rows


def _digest(file: io.BufferedReader) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(1 << 20):
        digest.update(chunk)
    return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
