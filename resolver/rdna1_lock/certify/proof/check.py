"""Check a certificate: lock, signature, and the verdict made again from the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rdna1_lock.certify.proof.folder import (
    CERTIFICATE,
    ENVELOPE,
    PAGE,
    REPORT,
    SIGNATURE,
    read_file,
)
from rdna1_lock.certify.proof.judge import judge
from rdna1_lock.certify.proof.report import SCHEMA, card_of, has_vision
from rdna1_lock.certify.proof.signature import Signature, Trust
from rdna1_lock.certify.proof.statement import build_statement
from rdna1_lock.certify.proof.strictjson import load, sha256
from rdna1_lock.certify.proof.verdict import Verdict
from rdna1_lock.certify.run import suite
from rdna1_lock.errors import InputError, IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from rdna1_lock.certify.proof.signature import Signers
    from rdna1_lock.certify.proof.verdict import Judgement
    from rdna1_lock.lock.model import Lock

ASK_FOR_ORIGINAL = "ask its author for the original file"


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A certificate that is intact: its evidence, its judgement, who signed."""

    folder: Path
    report: Mapping[str, Any]
    digest: str
    judgement: Judgement
    signature: Signature
    notes: tuple[str, ...]

    @property
    def trusted(self) -> bool:
        """Whether it certifies, signed by somebody whom the reader trusts."""
        return self.judgement.verdict is Verdict.CERTIFIED and self.signature.trust is Trust.TRUSTED

    @property
    def card(self) -> Mapping[str, Any]:
        """The card under test; empty if there was none."""
        return card_of(self.report)

    @property
    def witness(self) -> tuple[str, str, str]:
        """Signer, card and kernel series: certificates that share all three count once."""
        signer = self.signature.principal or self.signature.key or "unsigned"
        return signer, str(self.card.get("device")), str(self.report["host"]["kernel_series"])


def check_certificate(
    folder: Path,
    lock: Lock,
    lock_bytes: bytes,
    *,
    signers: Signers,
    expected: Callable[[str | None], Mapping[str, Mapping[str, str]]],
) -> Checked:
    """Check one certificate against a lock.

    ``expected`` returns the right digests for a challenge, or for None. The statement is made
    again from the report and must equal the certificate byte for byte, signed or not: no claim in
    it is taken from the file itself.

    Raises:
        InputError: a file is missing, or belongs to another version of the suite.
        IntegrityError: something in it is not what was certified.

    """
    certificate, signature = _signed(folder, signers)
    report_bytes = read_file(folder / REPORT)
    statement, report = load(certificate, CERTIFICATE), load(report_bytes, REPORT)
    lock_digest = sha256(lock_bytes)
    try:
        _check_files(statement, report, report_bytes, lock_digest)
        _check_suite(report)
        found = judge(
            report, expected(report["suite"]["challenge"]), lock.env, vision=has_vision(lock)
        )
        made = build_statement(report, report_bytes, lock_digest, found)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        raise IntegrityError(
            "bad-certificate",
            f"{folder / REPORT} does not have the form of a report: {type(error).__name__} {error}",
            hint=ASK_FOR_ORIGINAL,
        ) from error
    if made != certificate or report["verdict"] != found.verdict.value:
        raise _not_what_it_says(statement, report, found)
    notes = []
    if report["suite"]["worker"] != suite.worker_digest():
        notes.append(f"the worker of {report['tool']} measured it; this version's worker differs")
    return Checked(
        folder=folder,
        report=report,
        digest=sha256(certificate),
        judgement=found,
        signature=signature,
        notes=tuple(notes),
    )


def _signed(folder: Path, signers: Signers) -> tuple[bytes, Signature]:
    """Return the bytes of the statement, from either form, and who signed.

    With both forms present they must hold the same bytes: whoever reads only one of them would
    otherwise see another certificate than we do.
    """
    envelope, plain = folder / ENVELOPE, folder / CERTIFICATE
    signature = folder / SIGNATURE
    if envelope.is_file():
        from rdna1_lock.certify.proof.dsse import open_envelope  # an extra

        payload, enclosed = open_envelope(read_file(envelope), signers.file, name=str(envelope))
        if plain.is_file() and read_file(plain) != payload:
            raise IntegrityError(
                "two-certificates",
                f"{plain} and {envelope} hold different statements",
                hint="delete the one that does not belong to report.json, or ask its author for both",
            )
        if enclosed.trust is Trust.TRUSTED or not signature.is_file():
            return payload, enclosed
    certificate = read_file(plain)
    if not signature.is_file():
        return certificate, Signature(trust=Trust.UNSIGNED)
    return certificate, signers.check(certificate, read_file(signature), name=str(plain))


def _check_files(
    statement: Mapping[str, Any], report: Mapping[str, Any], report_bytes: bytes, lock: str
) -> None:
    [subject] = statement["subject"]
    certified = subject["digest"]["sha256"]
    if certified != lock or report["lock"]["sha256"] != lock:
        raise IntegrityError(
            "other-lock",
            "the certificate is for another lock",
            facts=_digests("lock", lock, certified),
            hint="certify this lock, or use the lock that was certified",
        )
    for entry in statement["predicate"]["configuration"]:
        if entry["name"] == REPORT and entry["digest"]["sha256"] != sha256(report_bytes):
            raise IntegrityError(
                "other-report",
                "report.json is not the file that was certified",
                facts=_digests("file", sha256(report_bytes), entry["digest"]["sha256"]),
                hint=ASK_FOR_ORIGINAL,
            )


def _check_suite(report: Mapping[str, Any]) -> None:
    asked = report["suite"]
    if report["schema"] != SCHEMA or asked["id"] != suite.ID:
        raise InputError(
            "other-version",
            f"{report['tool']} made it with the suite {asked['id']}; this version has {suite.ID}",
            hint="verify it with that version of rdna1-lock",
        )
    if asked["sha256"] != suite.suite_digest():
        raise IntegrityError(
            "other-suite",
            f"it was not made with {suite.ID} as published",
            facts=_digests("suite", suite.suite_digest(), asked["sha256"]),
            hint="its cases or bounds were changed; ask for a run of the published suite",
        )


def _digests(what: str, ours: str, certified: str) -> tuple[str, str]:
    return (
        f"{f'this {what}:':16} sha256 {ours}",
        f"{'the certificate:':16} sha256 {certified}",
    )


def _not_what_it_says(
    statement: Mapping[str, Any], report: Mapping[str, Any], found: Judgement
) -> IntegrityError:
    """Say where the certificate differs from what its own evidence gives."""
    predicate = statement["predicate"]
    facts = []
    if report["verdict"] != found.verdict.value:
        facts.append(f"the report says {report['verdict']}; its evidence is {found.verdict.value}")
    if predicate.get("result") != found.result:
        facts.append(f"the certificate says {predicate.get('result')}, the evidence {found.result}")
    listed = predicate.get("passedTests")
    facts += [
        f"{name} is listed as passed: {found.reasons[name]}"
        for name in (*found.failed, *found.warned)
        if isinstance(listed, list) and name in listed
    ]
    return IntegrityError(
        "verdict-differs",
        "the certificate does not follow from its evidence",
        facts=tuple(facts[:12]) or ("rdna1-lock would have written it differently",),
        hint="do not rely on it; ask its author for the original files",
    )


def check_page(checked: Checked, render: Callable[[Mapping[str, Any], Judgement], str]) -> None:
    """Check that report.html, if there is one, shows the report.

    A page is what one version makes of a report, so that of another version is not compared.

    Raises:
        IntegrityError: it shows something else.

    """
    from rdna1_lock import __version__

    page = checked.folder / PAGE
    if checked.report["tool"] != f"rdna1-lock {__version__}" or not page.is_file():
        return
    if read_file(page) != render(checked.report, checked.judgement).encode():
        raise IntegrityError(
            "other-page",
            f"{page} does not show what report.json says",
            hint="delete it, and write it again with: rdna1-lock verify LOCK --html FILE",
        )
