"""Check certificates: lock, wheels, signature, and the verdict made anew from the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rdna1_lock.certify import suite
from rdna1_lock.certify.judge import Verdict, judge
from rdna1_lock.certify.report import SCHEMA, card_of, has_vision
from rdna1_lock.certify.signature import Signature, Trust, check_signature
from rdna1_lock.certify.statement import build_statement
from rdna1_lock.certify.strictjson import load, sha256
from rdna1_lock.errors import InputError, IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from rdna1_lock.certify.judge import Judgement
    from rdna1_lock.lock.model import Lock

CERTIFICATE, REPORT, SIGNATURE = "certificate.json", "report.json", "certificate.json.sig"
ENVELOPE, PAGE = "certificate.dsse.json", "report.html"
OTHERS = "certificates"


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A certificate that is whole: its evidence, what it comes to, who signed."""

    folder: Path
    report: Mapping[str, Any]
    digest: str
    judgement: Judgement
    signature: Signature
    notes: tuple[str, ...]

    @property
    def trusted(self) -> bool:
        """Whether it certifies, by somebody whom the reader trusts."""
        return self.judgement.verdict is Verdict.CERTIFIED and self.signature.trust is Trust.TRUSTED

    @property
    def card(self) -> Mapping[str, Any]:
        """The card under test; empty where there was none."""
        return card_of(self.report)

    @property
    def witness(self) -> tuple[str, str, str]:
        """Signer, card and kernel series: certificates that share all three count once."""
        signer = self.signature.principal or self.signature.key or "unsigned"
        return signer, str(self.card.get("device")), str(self.report["host"]["kernel_series"])


def find_certificates(folder: Path) -> list[Path]:
    """Return the folders with a certificate: the lock's own, and those beside one another in it."""
    places = [folder]
    if (folder / OTHERS).is_dir():
        places += sorted(path for path in (folder / OTHERS).iterdir() if path.is_dir())
    return [p for p in places if (p / CERTIFICATE).is_file() or (p / ENVELOPE).is_file()]


def check_certificate(
    folder: Path,
    lock: Lock,
    lock_bytes: bytes,
    *,
    signers: Path | None,
    expected: Callable[[str | None], Mapping[str, Mapping[str, str]]],
) -> Checked:
    """Check one certificate against a lock.

    ``expected`` gives the right digests for a challenge, or for None. The statement is made anew
    from the report and must be the certificate to the byte, signed or not.

    Raises:
        InputError: a file is missing, or is of another version of the suite.
        IntegrityError: anything in it is not what was certified.

    """
    certificate, signature = _signed(folder, signers)
    report_bytes = _read(folder / REPORT)
    statement, report = load(certificate, CERTIFICATE), load(report_bytes, REPORT)
    lock_digest = sha256(lock_bytes)
    try:
        _same_files(statement, report, report_bytes, lock_digest)
        _same_suite(report)
        found = judge(
            report, expected(report["suite"]["challenge"]), lock.env, vision=has_vision(lock)
        )
        made = build_statement(report, report_bytes, lock_digest, found)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        raise IntegrityError(
            "bad-certificate",
            f"{folder / REPORT} does not have the form of a report: {type(error).__name__} {error}",
            hint="ask whoever gave it to you for the untouched file",
        ) from error
    if made != certificate or report["verdict"] != found.verdict.value:
        raise _not_what_it_says(statement, report, found)
    notes = []
    if report["suite"]["worker"] != suite.worker_digest():
        notes.append(f"it was measured by the worker of {report['tool']}, which differs from ours")
    return Checked(
        folder=folder,
        report=report,
        digest=sha256(certificate),
        judgement=found,
        signature=signature,
        notes=tuple(notes),
    )


def _signed(folder: Path, signers: Path | None) -> tuple[bytes, Signature]:
    """Return the statement's bytes, whichever form it has, and who signed."""
    envelope = folder / ENVELOPE
    if envelope.is_file():
        from rdna1_lock.certify.dsse import open_envelope  # an extra

        payload, signature = open_envelope(_read(envelope), signers, name=str(envelope))
        plain = folder / CERTIFICATE
        if plain.is_file() and _read(plain) != payload:
            raise IntegrityError(
                "two-certificates", f"{plain} and {envelope} are two different statements"
            )
        if signature.trust is Trust.TRUSTED or not (folder / SIGNATURE).is_file():
            return payload, signature
    certificate = _read(folder / CERTIFICATE)
    if not (folder / SIGNATURE).is_file():
        return certificate, Signature(trust=Trust.UNSIGNED)
    found = check_signature(
        certificate, _read(folder / SIGNATURE), signers, name=str(folder / CERTIFICATE)
    )
    return certificate, found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            "no-certificate",
            f"{path}: {error.strerror}",
            hint="a certificate is certificate.json and report.json, side by side",
        ) from error


def _same_files(
    statement: Mapping[str, Any], report: Mapping[str, Any], report_bytes: bytes, lock: str
) -> None:
    [subject] = statement["subject"]
    if subject["digest"]["sha256"] != lock or report["lock"]["sha256"] != lock:
        raise IntegrityError(
            "other-lock",
            "the certificate is for another lock than this one",
            facts=(
                f"this lock:       sha256 {lock}",
                f"the certificate: sha256 {subject['digest']['sha256']}",
            ),
            hint="certify this lock anew, or take the one that was certified",
        )
    for entry in statement["predicate"]["configuration"]:
        if entry["name"] == REPORT and entry["digest"]["sha256"] != sha256(report_bytes):
            raise IntegrityError(
                "other-report",
                "report.json is not the one that was certified",
                facts=(
                    f"this file:       sha256 {sha256(report_bytes)}",
                    f"the certificate: sha256 {entry['digest']['sha256']}",
                ),
                hint="ask whoever gave it to you for the untouched file",
            )


def _same_suite(report: Mapping[str, Any]) -> None:
    asked = report["suite"]
    if report["schema"] != SCHEMA or asked["id"] != suite.ID:
        raise InputError(
            "other-suite",
            f"it was made by {report['tool']} with the suite {asked['id']}; this one is {suite.ID}",
            hint="verify it with that version of rdna1-lock",
        )
    if asked["sha256"] != suite.suite_digest():
        raise IntegrityError(
            "other-suite",
            f"it was not made with {suite.ID} as it was published",
            facts=(
                f"ours:            sha256 {suite.suite_digest()}",
                f"the certificate: sha256 {asked['sha256']}",
            ),
            hint="nobody else has cases and bounds like these; ask for a run of the published suite",
        )


def _not_what_it_says(
    statement: Mapping[str, Any], report: Mapping[str, Any], found: Judgement
) -> IntegrityError:
    """Tell where the certificate differs from what its own evidence makes."""
    predicate = statement["predicate"]
    facts = []
    if report["verdict"] != found.verdict.value:
        facts.append(f"the report says {report['verdict']}; its evidence is {found.verdict.value}")
    if predicate.get("result") != found.result:
        facts.append(f"the certificate says {predicate.get('result')}, the evidence {found.result}")
    told = set(predicate.get("passedTests") or ())
    facts += [
        f"{name} is said to have passed: {found.reasons[name]}"
        for name in (*found.failed, *found.warned)
        if name in told
    ]
    return IntegrityError(
        "verdict-differs",
        "the certificate is not what its evidence makes",
        facts=tuple(facts[:12]) or ("it is not written as rdna1-lock writes it",),
        hint="do not believe it; ask for the untouched files",
    )


def same_page(checked: Checked, render: Callable[[Mapping[str, Any], Judgement], str]) -> None:
    """Hold report.html, where it is there, against the report.

    Raises:
        IntegrityError: it shows something else. A page of another version is not compared.

    """
    from rdna1_lock import __version__

    page = checked.folder / PAGE
    if checked.report["tool"] != f"rdna1-lock {__version__}" or not page.is_file():
        return
    if _read(page) != render(checked.report, checked.judgement).encode():
        raise IntegrityError(
            "other-page",
            f"{page} does not show what report.json says",
            hint="delete it; `rdna1-lock verify LOCK --html FILE` writes it anew",
        )
