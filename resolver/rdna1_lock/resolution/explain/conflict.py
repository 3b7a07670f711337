"""A failed search as a short chain of reasons with rules, evidence and a way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdna1_lock.errors import NoSolutionError
from rdna1_lock.resolution.explain.facts import about, fact_hint, is_fact, torch_reason
from rdna1_lock.resolution.explain.family import family_reasons
from rdna1_lock.resolution.explain.project import supply_reasons
from rdna1_lock.resolution.explain.reason import Reason
from rdna1_lock.resolution.explain.url import url_reasons
from rdna1_lock.resolution.model import Candidate, Kind, Requirement
from rdna1_lock.rules import TORCH

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from resolvelib.structs import RequirementInformation

    from rdna1_lock.resolution.provider import Provider

MOST_LINES = 14
_VIRTUAL_OFFER = {
    "<python>": "the lock is for Python {python}",
    "<glibc>": "the lock is for {platform}, so for glibc {glibc} and newer",
    "<rocm>": "the stack {stack} is ROCm {rocm}",
    "<gfx>": "the stack {stack} presents the card as {gfx}",
}


def explain(
    provider: Provider,
    causes: Sequence[RequirementInformation[Requirement, Candidate]],
    *,
    nearest: Sequence[str] = (),
) -> NoSolutionError:
    """Return the error that tells why there is no solution.

    ``causes`` is what resolvelib reports; the provider remembers the rest. ``nearest`` are releases
    that would fit, as hints.
    """
    demands = _demands(causes)
    chain = _chain(provider, demands)
    reasons: list[Reason] = []
    for project in sorted({item.project for item in demands}):
        wanted = [item for item in demands if item.project == project]
        if project in _VIRTUAL_OFFER:
            reasons.append(Reason(text=_offer(provider, project)))
        elif project == TORCH:
            reasons.append(torch_reason(wanted))
        elif any(item.url for item in wanted):
            reasons += url_reasons(provider, wanted)
        elif provider.request.stack.in_family(project):
            reasons += family_reasons(provider, project, wanted)
        elif not project.startswith("<"):
            reasons += supply_reasons(provider, project, wanted)
    facts = [*chain, *(line for reason in reasons for line in reason.lines())]
    rules = _rules_in(demands, reasons)
    for rule_id in rules:
        facts += about(provider, rule_id)
    hints = _ways_out(provider, reasons, rules, nearest)
    return NoSolutionError(
        "no-solution",
        _headline(provider, demands, reasons),
        facts=tuple(facts),
        hint="; or: ".join(hints) or _general_hint(demands),
    )


def _ways_out(
    provider: Provider, reasons: Sequence[Reason], rules: Sequence[str], nearest: Sequence[str]
) -> list[str]:
    hints = [part for reason in reasons for part in (reason.hint or "").split("; or ") if part]
    if nearest:
        # What would fit is known; the stack's own pin may be there already.
        hints = [*nearest, *(hint for hint in hints if not hint.startswith("ask for "))]
    for told in (fact_hint(provider, rule) for rule in rules if is_fact(rule)):
        # It names the newest release that runs, which need not be said twice.
        hints = [hint for hint in hints if not told.startswith(hint.partition(" that ")[0])]
        hints.append(told)
    hints = hints or [fact_hint(provider, rule) for rule in rules]
    return list(dict.fromkeys(hints))


def _demands(causes: Iterable[RequirementInformation[Requirement, Candidate]]) -> list[Requirement]:
    """Return the requirements that met in the conflict, each text once a parent's project."""
    found: dict[tuple[object, ...], Requirement] = {}
    for cause in causes:
        item = cause.requirement
        if item.origin.kind is Kind.EXTRA:
            continue
        parent = item.parent.project if item.parent else None
        found.setdefault((item.project, item.origin, parent), item)
    return list(found.values())


def _chain(provider: Provider, demands: Sequence[Requirement]) -> list[str]:
    """Return the lines from the user's requirements to the demands that meet."""
    edges = provider.edges()
    lines: dict[str, None] = {}
    ends = sorted(
        demands, key=lambda item: (item.project, item.parent is not None, item.origin.text)
    )
    for end in ends:
        for item in [*_path_to(end.parent, edges), end]:
            if item.origin.kind is not Kind.PRESENCE:
                lines.setdefault(_line(item, edges))
    kept = list(lines)
    if len(kept) > MOST_LINES:
        return [*kept[:MOST_LINES], f"and {len(kept) - MOST_LINES} more demands of this kind"]
    return kept


def _path_to(candidate: Candidate | None, edges: dict[str, list[Requirement]]) -> list[Requirement]:
    """Return the shortest way of requirements from the user to a candidate's project."""
    if candidate is None:
        return []
    path: list[Requirement] = []
    seen: set[str] = set()
    todo: list[tuple[str, list[Requirement]]] = [(str(candidate.project), [])]
    while todo:
        project, path = todo.pop(0)
        if project in seen:
            continue
        seen.add(project)
        for item in edges.get(project, ()):
            longer = [item, *path]
            if item.parent is None:
                return longer
            todo.append((str(item.parent.project), longer))
    return path


def _line(item: Requirement, edges: dict[str, list[Requirement]]) -> str:
    origin = item.origin
    if origin.kind is Kind.USER:
        return f"you ask for {origin.text} ({origin.where})"
    if origin.kind is Kind.CONSTRAINT:
        return f"a constraint says {origin.text} ({origin.where})"
    who = _versions(item, edges)
    if origin.kind is Kind.BROKEN:
        return f"{item.parent} cannot be used: {origin.text}"
    if origin.kind is Kind.RULE:
        word = "fact" if is_fact(origin.rule) else "rule"
        return f"{who} needs {origin.text} ({word} {origin.rule})"
    return f"{who} needs {origin.text}"


def _versions(item: Requirement, edges: dict[str, list[Requirement]]) -> str:
    """Name all versions of the parent that make the same demand."""
    parent = item.parent
    if parent is None:
        return "you"
    versions = {parent.version}
    for other in edges.get(str(item.project), ()):
        same = other.parent is not None and other.parent.identifier == parent.identifier
        if same and other.origin == item.origin and other.parent is not None:
            versions.add(other.parent.version)
    label = f"[{parent.extra}]" if parent.extra else ""
    # Pre-releases are not what anybody counts.
    ordered = sorted(v for v in versions if not v.is_prerelease) or sorted(versions)
    if len(ordered) <= 2:
        return f"{parent.project}{label} {' and '.join(map(str, ordered))}"
    return f"{parent.project}{label} {ordered[0]} to {ordered[-1]} ({len(ordered)} releases)"


def _offer(provider: Provider, identifier: str) -> str:
    request = provider.request
    return _VIRTUAL_OFFER[identifier].format(
        python=request.target.python_full,
        platform=request.target.platform,
        glibc=f"2.{request.target.glibc_minor}",
        stack=request.stack.id,
        rocm=request.stack.series or request.stack.rocm,
        gfx=", ".join(map(str, request.stack.presented_gfx(request.gfx))),
    )


def _rules_in(demands: Sequence[Requirement], reasons: Sequence[Reason]) -> list[str]:
    """Return the rules that decide: of several on one thing, the one that is violated."""
    found = [reason.rule for reason in reasons if reason.rule]
    found += [item.origin.rule for item in demands if item.origin.rule]
    return list(dict.fromkeys(found))


def _headline(provider: Provider, demands: Sequence[Requirement], reasons: Sequence[Reason]) -> str:
    headline = next((reason.headline for reason in reasons if reason.headline), None)
    asked = [
        item
        for item in provider.demands.roots()
        if item.origin.kind is Kind.USER and item.identifier == item.project
    ]
    texts = list(dict.fromkeys(item.origin.text for item in asked))
    # Where a fact takes part, what it says of a package decides, not one torch alone.
    if headline is not None and not any(is_fact(item.origin.rule) for item in demands):
        return headline if _is_of_user(headline, asked) else f"{texts[0]} cannot be met: {headline}"
    if any(item.project == "<python>" for item in demands):
        python = provider.request.target.python_series
        return f"{' and '.join(texts[:2])} are not available for Python {python}"
    if len(texts) == 2:
        return f"{texts[0]} does not go together with {texts[1]}"
    if len(texts) == 1:
        return f"{texts[0]} cannot be met"
    return f"these {len(texts)} requirements cannot be met together: {', '.join(texts)}"


def _is_of_user(headline: str, asked: Sequence[Requirement]) -> bool:
    """Say whether a headline speaks of a project that the user asked for, or of several."""
    return len(asked) != 1 or any(str(item.project) in headline for item in asked)


def _general_hint(demands: Sequence[Requirement]) -> str:
    if any(item.project == "<python>" for item in demands):
        return "choose another Python with --python-version, or an older release"
    names = sorted({str(item.project) for item in demands if not item.project.startswith("<")})
    return f"loosen what is asked of {' and '.join(names)}" if names else "loosen the requirements"
