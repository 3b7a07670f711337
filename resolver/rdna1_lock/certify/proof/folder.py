"""A folder with a certificate: which files it holds, and how they are found, read and written."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rdna1_lock.certify.proof.signature import sign
from rdna1_lock.certify.proof.statement import STATEMENT, build_statement
from rdna1_lock.certify.proof.strictjson import SIZE_LIMIT, dump, load, sha256
from rdna1_lock.errors import InputError, IntegrityError
from rdna1_lock.lock.files import foreign_files, write_files
from rdna1_lock.regular import read_regular

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rdna1_lock.certify.proof.verdict import Judgement

CERTIFICATE, REPORT, SIGNATURE = "certificate.json", "report.json", "certificate.json.sig"
ENVELOPE, PAGE = "certificate.dsse.json", "report.html"
OTHERS = "certificates"
# What stands in each file of a certificate, and in no other of its name.
_MARKS = {
    REPORT: (b'"verdict"', b'"suite"'),
    CERTIFICATE: (STATEMENT.encode(),),
    PAGE: (b"rdna1-lock",),
}


@dataclass(frozen=True, kw_only=True)
class Keys:
    """What to sign with: an SSH key for the signature, an ed25519 key for the DSSE envelope."""

    ssh: Path | None = None
    dsse: Path | None = None


def find_certificates(folder: Path) -> list[Path]:
    """Return every folder with a certificate: the lock's own, then those in ``certificates/``."""
    places = [folder]
    if (folder / OTHERS).is_dir():
        places += sorted(path for path in (folder / OTHERS).iterdir() if path.is_dir())
    return [p for p in places if (p / CERTIFICATE).is_file() or (p / ENVELOPE).is_file()]


def read_file(path: Path) -> bytes:
    """Read a file of a certificate.

    Raises:
        InputError: it does not exist or cannot be read.

    """
    try:
        return read_regular(path, SIZE_LIMIT)
    except OSError as error:
        raise InputError(
            "no-certificate",
            f"cannot read {path}: {error.strerror}",
            hint="a certificate consists of certificate.json and report.json in one folder",
        ) from error


def write_certificate(
    place: Path,
    report: dict[str, Any],
    found: Judgement,
    *,
    page: str,
    keys: Keys,
    environ: Mapping[str, str],
) -> dict[str, Path]:
    """Write a certificate with its report and page into ``place``, and sign it.

    Where ``place`` already holds one that certifies, the new one goes into a folder of its own
    below ``certificates/``. Returns each file by its name.

    Raises:
        InputError: a folder cannot be written, files in it are not of a certificate, or a key does
            not sign; files written so far stay.

    """
    report_bytes = dump(report)
    statement = build_statement(report, report_bytes, report["lock"]["sha256"], found)
    if _is_certified(place / REPORT):
        place = place / OTHERS / sha256(statement)[:12]
    texts = {REPORT: report_bytes.decode(), CERTIFICATE: statement.decode(), PAGE: page}
    write_files(place, texts, foreign=not_ours)
    # Signatures of the files that were replaced do not belong to the new ones.
    for left in (SIGNATURE, ENVELOPE):
        (place / left).unlink(missing_ok=True)
    written = {name: place / name for name in texts}
    if keys.dsse is not None:
        from rdna1_lock.certify.proof.dsse import make_envelope  # an extra

        write_files(place, {ENVELOPE: make_envelope(statement, keys.dsse).decode()})
        written[ENVELOPE] = place / ENVELOPE
    if keys.ssh is not None:
        written[SIGNATURE] = sign(place / CERTIFICATE, keys.ssh, environ=environ)
    return written


def check_place(place: Path) -> None:
    """Find out before a sweep what could not be written after it.

    Raises:
        InputError: files in the folder are not of a certificate.

    """
    existing = {name: _content(place / name) for name in _MARKS if os.path.lexists(place / name)}
    if names := not_ours(existing):
        raise foreign_files(place, names)


def write_page(file: Path, page: str) -> None:
    """Write the page of a report into a file of any name.

    Raises:
        InputError: it cannot be written, or holds something else.

    """

    def foreign(existing: Mapping[str, bytes | None]) -> list[str]:
        return list(existing) if not_ours({PAGE: existing.get(file.name, b"")}) else []

    write_files(file.parent, {file.name: page}, foreign=foreign)


def _content(path: Path) -> bytes | None:
    try:
        return read_regular(path, SIZE_LIMIT, follow=False)
    except OSError:
        return None


def not_ours(existing: Mapping[str, bytes | None]) -> list[str]:
    """Return the names of files that are not of a certificate; None is what cannot be read.

    An empty file is nobody's.
    """
    return [
        name
        for name, content in existing.items()
        if content is None or (content and not all(mark in content for mark in _MARKS[name]))
    ]


def _is_certified(report: Path) -> bool:
    try:
        return load(read_regular(report, SIZE_LIMIT), str(report)).get("verdict") == "certified"
    except (OSError, IntegrityError):
        return False
