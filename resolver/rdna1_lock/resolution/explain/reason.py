"""One reason in words, and what is known of the rule behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.version import Version

    from rdna1_lock.resolution.model import Requirement
    from rdna1_lock.rules import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason in words; a headline or hint of its own takes the place of a general one."""

    text: str
    details: tuple[str, ...] = ()
    rule: str | None = None
    hint: str | None = None
    headline: str | None = None

    def lines(self) -> list[str]:
        """Return the reason as lines, details indented."""
        return [self.text, *(f"    {detail}" for detail in self.details)]


def about_rule(rule: Rule) -> list[str]:
    """Return what is known of a rule, as lines: why, how it shows, where it was read."""
    evidence = ", ".join(kind.value for kind in rule.evidence)
    return [
        f"rule {rule.id} ({evidence}, {rule.date}): {rule.title}",
        f"    why: {rule.why}",
        f"    seen as: {rule.symptom}",
        f"    source: {rule.sources[0]}",
    ]


def combined(wanted: Iterable[Requirement]) -> SpecifierSet:
    """Return what all requirements ask of a version together."""
    specifier = SpecifierSet()
    for item in wanted:
        specifier &= item.specifier
    return specifier


def wheel_command(project: str, version: Version) -> str:
    """Return the command that builds a wheel of a source distribution."""
    return f"rdna1-lock wheel {project}=={version}"
