"""A rule that something real does not keep: what was seen, where, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rdna1_lock.rules.model import Command, Evidence, Rule, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something was seen; what does not apply is None.

    ``file`` and ``line`` are of a file that the user wrote, ``path`` is a folder, device or file of
    the system. ``package`` is a project or a part of the system, ``variable`` the environment
    variables, separated by commas. ``label`` names a place that none of them names well.
    """

    file: str | None = None
    line: int | None = None
    package: str | None = None
    path: str | None = None
    variable: str | None = None
    label: str | None = None

    @property
    def text(self) -> str:
        """The place as one line for people."""
        if self.label is not None:
            return self.label
        if self.file is not None:
            return self.file if self.line is None else f"{self.file}:{self.line}"
        if self.path is not None:
            return self.path
        return "variables" if self.variable is not None else self.package or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding, with commands that are ready to be run.

    ``severity`` may differ from the rule's: the same rule can be broken badly or lightly.
    """

    rule: str
    title: str
    severity: Severity
    seen: str
    where: Place
    why: str
    symptom: str
    remedy: str
    commands: tuple[Command, ...]
    evidence: tuple[Evidence, ...]
    sources: tuple[str, ...]


def make_finding(
    rule: Rule,
    *,
    seen: str,
    where: Place,
    severity: Severity | None = None,
    remedy: str | None = None,
    commands: tuple[Command, ...] = (),
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
