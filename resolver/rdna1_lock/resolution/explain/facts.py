"""A fact about a package beside torch in an explanation: what was run, and the ways out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from rdna1_lock.model import specifier_text
from rdna1_lock.resolution.explain.reason import Reason, about_rule
from rdna1_lock.resolution.model import Kind
from rdna1_lock.rules import TORCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.version import Version

    from rdna1_lock.resolution.model import Requirement
    from rdna1_lock.resolution.provider import Provider
    from rdna1_lock.rules import Fact


def is_fact(identifier: str | None) -> bool:
    """Tell the id of a fact from that of a rule."""
    return identifier is not None and identifier.startswith("A-")


def torch_reason(wanted: Sequence[Requirement]) -> Reason:
    """Say which torch the lock has."""
    there = next((item.origin.text for item in wanted if item.origin.kind is Kind.PRESENCE), None)
    return Reason(text=f"the lock has {there}" if there else "the lock has another torch")


def about(provider: Provider, identifier: str) -> list[str]:
    """Return what is known of a rule or fact, as lines."""
    if not is_fact(identifier):
        return about_rule(provider.rules.by_id[identifier])
    fact = provider.rules.applications.by_id(identifier)
    record = provider.rules.applications.of(fact.package)
    ran = f", run with torch {', '.join(fact.measured)}" if fact.measured else ""
    releases = specifier_text(fact.releases)
    evidence = ", ".join(kind.value for kind in fact.evidence)
    lines = [f"fact {fact.id} ({evidence}, {fact.date}{ran}): {fact.package} {releases}".rstrip()]
    lines.append(f"    why: {fact.why}")
    errors = [run.error for run in (record.runs if record else ()) if run.error and run.fails]
    lines += [f"    seen as: {error}" for error in errors[:1]]
    return [*lines, f"    source: {fact.sources[0]}"]


def fact_hint(provider: Provider, identifier: str) -> str:
    """Return the way out of a rule or fact."""
    if not is_fact(identifier):
        return provider.rules.by_id[identifier].remedy
    fact = provider.rules.applications.by_id(identifier)
    overrule = f"to overrule the fact: --allow {fact.id}"
    if fact.remedy is not None:
        return f"{fact.remedy.rstrip('.')}; {overrule}"
    if fact.on != TORCH:
        return f"take {fact.on}{specifier_text(fact.specifier)}; {overrule}"
    newest = _newest(provider, fact)
    fits = f"{fact.package} {newest} is the newest that was run; " if newest is not None else ""
    return f"{fits}{overrule}"


def _newest(provider: Provider, fact: Fact) -> Version | None:
    """Return the newest release of a package that was run, and that no fact refuses."""
    applications = provider.rules.applications
    record = applications.of(fact.package)
    ran = {version for run in (record.runs if record else ()) for version in run.works}
    fitting = {
        wheel.version for wheel in provider.finder.seen(canonicalize_name(fact.package)).wheels
    }
    return max(
        (
            version
            for version in ran & fitting
            if not any(
                one.on == TORCH and not one.despite_extra
                for one in applications.facts(fact.package, version)
            )
        ),
        default=None,
    )
