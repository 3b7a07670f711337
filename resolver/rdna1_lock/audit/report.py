"""All findings, in the order in which they block, with those that the project suppresses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rdna1_lock.audit import checks  # noqa: F401  # importing it registers the checks
from rdna1_lock.audit.observed import Machine, Observed
from rdna1_lock.audit.registry import check_machine, check_subject
from rdna1_lock.rules.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.version import Version

    from rdna1_lock.audit.suppress import Suppression
    from rdna1_lock.host.system import Host
    from rdna1_lock.rules import RuleSet
    from rdna1_lock.rules.finding import Finding

SEVERITIES = [Severity.ERROR, Severity.WARNING, Severity.INFO]
# What stops first: the interpreter, the installation, the build, its import, the device, the rest.
FIRST = ["R04", "R25", "R23", "R03", "R02", "R07", "R24", "R01", "R05", "R16", "R17", "R06", "R09"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What an audit found; ``suppressed`` are (finding, reason)."""

    subjects: tuple[str, ...]
    findings: tuple[Finding, ...]
    suppressed: tuple[tuple[Finding, str], ...] = ()
    notes: tuple[str, ...] = field(default=())

    def count(self, severity: Severity) -> int:
        """Return how many findings are of a severity."""
        return sum(finding.severity is severity for finding in self.findings)


def check_host(
    host: Host, rules: RuleSet, variables: Mapping[str, str], *, rocm: Version | None
) -> list[Finding]:
    """Return what is wrong with a machine that is to run a ROCm series with these variables."""
    return list(check_machine(Machine(host=host, rules=rules, variables=variables, rocm=rocm)))


def findings_on(observed: Observed, *, with_machine: bool) -> list[Finding]:
    """Return every finding on an environment or file, and on the machine under it."""
    found = list(check_subject(observed))
    subject, host = observed.subject, observed.host
    if with_machine and host is not None:
        on_host = check_host(host, observed.rules, subject.variables, rocm=subject.rocm)
        # The C library that counts is that of the interpreter, which was asked.
        asked = subject.installed and subject.libc is not None
        found += [item for item in on_host if not (asked and item.rule == "R01")]
    return found


def make_report(
    subjects: Sequence[str],
    findings: Iterable[Finding],
    suppressions: Sequence[Suppression],
    notes: Sequence[str] = (),
) -> Report:
    """Sort what was found, and set aside what the project suppresses."""
    ordered = sorted(set(findings), key=_order)
    reasons = {item.rule: item.reason for item in suppressions}
    return Report(
        subjects=tuple(subjects),
        findings=tuple(item for item in ordered if item.rule not in reasons),
        suppressed=tuple((item, reasons[item.rule]) for item in ordered if item.rule in reasons),
        notes=tuple(notes),
    )


def _order(item: Finding) -> tuple[int, int, str, str, str]:
    rank = FIRST.index(item.rule) if item.rule in FIRST else len(FIRST)
    return SEVERITIES.index(item.severity), rank, item.rule, item.where.text, item.seen
