"""All findings on a subject, in the order in which they block, with those that were set aside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rdna1_lock.audit.family import check_family
from rdna1_lock.audit.installed import check_against, check_installed
from rdna1_lock.audit.variables import check_variables
from rdna1_lock.host.check import check_host
from rdna1_lock.rules.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rdna1_lock.audit.subject import Subject
    from rdna1_lock.audit.suppress import Suppression
    from rdna1_lock.host.system import Host
    from rdna1_lock.lock.model import Lock
    from rdna1_lock.rules import Known, RuleSet, Stack
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


def findings_on(
    subject: Subject | None,
    host: Host | None,
    *,
    rules: RuleSet,
    stack: Stack,
    known: Sequence[Known],
    check_machine: bool,
    against: tuple[Lock, str] | None,
    more: Iterable[Finding] = (),
) -> list[Finding]:
    """Return every finding, unsorted; ``host`` is what is known of the machine in any case.

    ``check_machine`` adds the rules on the machine itself; ``against`` is a lock and its name.
    """
    found = list(more)
    if subject is not None:
        found += check_family(subject, rules, stack, known)
        found += check_variables(subject, rules, host)
        found += check_installed(subject, rules, host)
        if against is not None:
            found += check_against(subject, rules, *against)
    if check_machine and host is not None:
        variables = subject.variables if subject is not None else {}
        rocm = subject.rocm if subject is not None else None
        on_host = check_host(host, rules, variables, rocm=rocm)
        # The C library that counts is that of the interpreter, which was asked.
        asked = subject is not None and subject.installed and subject.libc is not None
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
    return SEVERITIES.index(item.severity), rank, item.rule, item.where, item.seen
