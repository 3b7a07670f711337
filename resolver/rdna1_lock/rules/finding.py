"""A rule that something real does not keep: what was seen, where, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rdna1_lock.rules.model import Evidence, Rule, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding; ``commands`` are (tool, command line) pairs, ready to be run.

    ``severity`` may differ from the rule's: the same rule can be broken badly or lightly.
    """

    rule: str
    title: str
    severity: Severity
    seen: str
    where: str
    why: str
    symptom: str
    remedy: str
    commands: tuple[tuple[str, str], ...]
    evidence: tuple[Evidence, ...]
    sources: tuple[str, ...]


def make_finding(
    rule: Rule,
    *,
    seen: str,
    where: str,
    severity: Severity | None = None,
    remedy: str | None = None,
    commands: tuple[tuple[str, str], ...] = (),
) -> Finding:
    """Return the finding of a rule; what is not given is the rule's own."""
    return Finding(
        rule=rule.id,
        title=rule.title,
        severity=severity or rule.severity,
        seen=seen,
        where=where,
        why=rule.why,
        symptom=rule.symptom,
        remedy=remedy or rule.remedy,
        commands=commands,
        evidence=rule.evidence,
        sources=rule.sources,
    )
