"""Write a certificate with its evidence and page, and sign it; never over one that certifies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rdna1_lock.certify.page import render_page
from rdna1_lock.certify.signature import sign
from rdna1_lock.certify.statement import build_statement
from rdna1_lock.certify.strictjson import dump, load, sha256
from rdna1_lock.certify.verify import CERTIFICATE, ENVELOPE, OTHERS, PAGE, REPORT, SIGNATURE
from rdna1_lock.errors import IntegrityError
from rdna1_lock.lock.files import write_files

if TYPE_CHECKING:
    from pathlib import Path

    from rdna1_lock.certify.judge import Judgement


def write_certificate(
    place: Path,
    report: dict[str, Any],
    found: Judgement,
    *,
    key: Path | None,
    dsse_key: Path | None,
) -> dict[str, Path]:
    """Write the files into a folder; where a certificate stands, into one beside it.

    Returns each file by its name.

    Raises:
        InputError: a folder cannot be written, or a key does not sign; what is written stays.

    """
    report_bytes = dump(report)
    statement = build_statement(report, report_bytes, report["lock"]["sha256"], found)
    if _is_certified(place / REPORT):
        place = place / OTHERS / sha256(statement)[:12]
    texts = {
        REPORT: report_bytes.decode(),
        CERTIFICATE: statement.decode(),
        PAGE: render_page(report, found),
    }
    write_files(place, texts)
    # Signatures of what stood there before are none of these files.
    for left in (SIGNATURE, ENVELOPE):
        (place / left).unlink(missing_ok=True)
    written = {name: place / name for name in texts}
    if dsse_key is not None:
        from rdna1_lock.certify.dsse import make_envelope  # an extra

        write_files(place, {ENVELOPE: make_envelope(statement, dsse_key).decode()})
        written[ENVELOPE] = place / ENVELOPE
    if key is not None:
        written[SIGNATURE] = sign(place / CERTIFICATE, key)
    return written


def _is_certified(report: Path) -> bool:
    try:
        return load(report.read_bytes(), str(report)).get("verdict") == "certified"
    except (OSError, IntegrityError):
        return False
