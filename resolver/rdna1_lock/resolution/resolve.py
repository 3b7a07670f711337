"""Run the search; the only place that starts resolvelib."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from resolvelib import BaseReporter, ResolutionImpossible, ResolutionTooDeep
from resolvelib.resolvers import Resolution as Search

from rdna1_lock.errors import Error, NoSolutionError, UsageError
from rdna1_lock.hashes import agree
from rdna1_lock.resolution.beside_torch import TorchMetError, hint_of_torch
from rdna1_lock.resolution.exhaustive import Exhaustive
from rdna1_lock.resolution.explain.family import not_released_together, unreleased_together
from rdna1_lock.resolution.finder import Finder
from rdna1_lock.resolution.model import Candidate, Pin, Requirement, Resolution
from rdna1_lock.resolution.outcome import Outcome
from rdna1_lock.resolution.provider import Provider
from rdna1_lock.resolution.standing import standings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from resolvelib.structs import RequirementInformation

    from rdna1_lock.model import Wheel
    from rdna1_lock.resolution.model import Request
    from rdna1_lock.resolution.sources import Sources
    from rdna1_lock.rules import RuleSet

    Causes = Sequence[RequirementInformation[Requirement, Candidate]]

# Beyond this many rounds resolvelib is taken to go round in a circle.
MAX_ROUNDS = 20_000
MAX_STEPS = 100_000
# Beyond this many requirements the smallest conflicting set is not searched for.
CORE_LIMIT = 40
# Projects without a wheel that one answer names.
MOST_BLOCKERS = 30


def resolve(request: Request, sources: Sources, rules: RuleSet) -> Resolution:
    """Choose one wheel for every project that is needed.

    Raises:
        NoSolutionError: with the chain of reasons, when there is no such choice.
        UsageError: when the search was given up; no answer either way.
        NetworkError, IntegrityError: from the sources.

    """
    finder = Finder(sources, request, rules)
    provider = Provider(finder, request, rules)
    apart = unreleased_together(provider)
    if apart:
        raise not_released_together(provider, apart)
    sources.prefetch_pages(_names_ahead(provider))
    try:
        candidates = _search_twice(provider)
    except ResolutionImpossible as error:
        raise _refusal(provider, list(error.causes)) from None
    return _build(provider, candidates)


def _refusal(provider: Provider, causes: Causes) -> NoSolutionError:
    """Explain why there is no solution; of projects without a wheel, all at once.

    A blocker is assumed to be built, with nothing that it needs, and the search goes on without it.
    """
    from rdna1_lock.resolution.blockers import blocked, find_blockers
    from rdna1_lock.resolution.explain.conflict import explain
    from rdna1_lock.resolution.explain.nearest import nearest

    blockers = find_blockers(provider, causes)
    if not blockers:
        smaller, causes = _smallest_conflict(provider, causes)
        return explain(smaller, causes, nearest=nearest(smaller, _solution))
    further, rest = provider.with_requirements(provider.request.requirements), causes
    more, seen = list(blockers), {one.project for one in blockers}
    while more and len(blockers) < MOST_BLOCKERS:
        further.assume({one.project for one in more})
        try:
            _search_twice(further)
        except ResolutionImpossible as error:
            rest = list(error.causes)
        except Error:
            break
        else:
            return blocked(provider, blockers, causes if len(blockers) == 1 else None)
        more = [one for one in find_blockers(further, rest) if one.project not in seen]
        seen |= {one.project for one in more}
        blockers += more
    return blocked(provider if rest is causes else further, blockers, rest)


def _names_ahead(provider: Provider) -> list[str]:
    names = {
        str(item.project)
        for item in provider.demands.roots()
        if item.url is None and not item.project.startswith("<")
    }
    if any(provider.request.stack.in_family(name) for name in names):
        names.update(provider.request.stack.fetch_ahead)
    names.update(provider.request.preferences)
    return sorted(names)


def _search_twice(provider: Provider) -> list[Candidate]:
    """Search among wheels that every installer takes; only if that fails, among all."""
    try:
        return _search_loosening(provider)
    except ResolutionImpossible:
        if not provider.demands.refused_legacy:
            raise
        provider.take_legacy()
        return _search_loosening(provider)


def _search_loosening(provider: Provider) -> list[Candidate]:
    """Search with every soft demand; where there is no solution, without those in the way."""
    while True:
        try:
            return _search(provider)
        except ResolutionImpossible as error:
            if not provider.loosen(error.causes):
                raise


def _solution(provider: Provider) -> list[Candidate] | None:
    """Return a solution, or None where there is none or the sources do not say."""
    try:
        return _search_twice(provider)
    except (ResolutionImpossible, Error):
        return None


def _search(provider: Provider) -> list[Candidate]:
    """Return the candidates that the roots need, directly or not.

    Facts count only beside torch. Where nobody asks for torch, the search runs without them until
    it meets torch. Then torch is settled first, as if it were asked for, so that a release that a
    fact refuses costs nothing. If no answer has torch, one without it may do.
    """
    roots = provider.demands.roots()
    if any(root.project == "torch" for root in roots):
        provider.count_facts()
        return _search_from(provider, roots)
    if not provider.demands.beside_torch.on:
        try:
            return _search_from(provider, roots)
        except TorchMetError:
            provider.remember_way_to_torch()
    provider.count_facts()
    found = _try(provider, roots, hint_of_torch())
    if found is not None and any(candidate.project == "torch" for candidate in found):
        return found
    provider.avoid_torch()
    without = _try(provider, roots)
    if without is not None:
        return without
    provider.count_facts()
    return _search_from(provider, roots, hint_of_torch())


def _try(
    provider: Provider, roots: list[Requirement], *hints: Requirement
) -> list[Candidate] | None:
    """Search once; None where there is no solution, or none that is worth the effort."""
    try:
        return _search_from(provider, roots, *hints)
    except (ResolutionImpossible, TorchMetError):
        return None


def _search_from(
    provider: Provider, roots: list[Requirement], *hints: Requirement
) -> list[Candidate]:
    """Search once; what only a hint needs is left out.

    ``Resolver.resolve`` would do so as well, but looks for the way back to the root without a
    memory: a circle of packages that the search has left behind never ends it (resolvelib 1.2.1).
    """
    search: Search[Requirement, Candidate, str] = Search(provider, BaseReporter())
    start = [*roots, *hints]
    try:
        mapping: Mapping[str, Candidate] = search.resolve(start, max_rounds=MAX_ROUNDS).mapping
    except ResolutionTooDeep:
        mapping = _search_everything(provider, start)
    needed: dict[str, Candidate] = {}
    todo = [root.identifier for root in roots]
    while todo:
        identifier = todo.pop()
        if identifier not in needed:
            needed[identifier] = mapping[identifier]
            todo += [item.identifier for item in provider.get_dependencies(needed[identifier])]
    return list(needed.values())


def _search_everything(provider: Provider, roots: Sequence[Requirement]) -> Mapping[str, Candidate]:
    try:
        return Exhaustive(provider, MAX_STEPS).search(roots)
    except ResolutionTooDeep:
        raise UsageError(
            "search-too-deep",
            "the search was given up; whether there is a solution is not known",
            facts=(f"it went round in {', '.join(provider.busiest())}",),
            hint="give bounds for these packages, best an exact version of one of them",
        ) from None


def _smallest_conflict(provider: Provider, causes: Causes) -> tuple[Provider, Causes]:
    """Drop the user's requirements that have no part in the conflict, one by one.

    What remains is a smallest set that cannot be met, so that the explanation speaks of nothing
    else. Everything that was fetched is at hand; each try costs a search and no more.
    """
    items = list(provider.request.requirements)
    if not 1 < len(items) <= CORE_LIMIT:
        return provider, causes
    # Of several that are each impossible, torch says most about the reason: it goes last.
    order = sorted(
        items,
        key=lambda item: (not item.constraint, item.parsed.name == "torch", str(item.parsed)),
    )
    for item in order:
        fewer = tuple(other for other in items if other is not item)
        smaller = provider.with_requirements(fewer)
        try:
            _search_twice(smaller)
        except ResolutionImpossible as error:
            items.remove(item)
            provider, causes = smaller, list(error.causes)
        except Error:
            continue
    return provider, causes


def _build(provider: Provider, candidates: list[Candidate]) -> Resolution:
    wheels: dict[str, Wheel] = {}
    needs: dict[str, set[str]] = {}
    for candidate in candidates:
        if candidate.wheel is None:
            continue
        name = str(candidate.project)
        wheels[name] = candidate.wheel
        for item in provider.get_dependencies(candidate):
            if item.project.startswith("<") or item.project == name:
                continue
            needs.setdefault(name, set()).add(str(item.project))
    sources = provider.finder.sources
    sources.prefetch_hashes(wheels.values())
    pins = []
    for name in sorted(wheels):
        metadata = provider.finder.metadata(wheels[name])
        pins.append(
            Pin(
                wheel=wheels[name],
                sha256=_agreed_hash(provider, wheels[name]),
                dependencies=tuple(sorted(needs.get(name, ()))),
                requires_python=None if isinstance(metadata, str) else metadata.requires_python,
                legacy=not isinstance(metadata, str) and bool(metadata.legacy),
            )
        )
    stack = provider.request.stack
    chosen = [pin.wheel for pin in pins]
    outcome = Outcome(provider, chosen)
    return Resolution(
        pins=tuple(pins),
        uses_stack=any(stack.in_family(pin.wheel.name) for pin in pins),
        notes=(*_notes(provider, chosen), *outcome.notes()),
        direct=frozenset(str(item.project) for item in provider.demands.roots()),
        standings=standings(provider, candidates, wheels.values()),
        held_back=outcome.held_back(),
        unmeasured=outcome.unmeasured(),
    )


def _agreed_hash(provider: Provider, wheel: Wheel) -> str:
    """Return the hash of a wheel, held against those that the user and the old lock state."""
    digest = provider.finder.sources.sha256(wheel)
    for item in provider.request.requirements:
        if canonicalize_name(item.parsed.name) != wheel.name or digest in item.hashes:
            continue
        agree(
            wheel.filename,
            {"the wheel": digest, **{f"{item.where} allows": one for one in sorted(item.hashes)}},
            hint="remove the old hashes from the requirement if you chose a new release",
        )
    agree(wheel.filename, {"the index": wheel.file.sha256, "the wheel": digest})
    preference = provider.request.preferences.get(wheel.name)
    if preference is not None and preference.filename == wheel.filename:
        agree(
            wheel.filename,
            {"the existing lock": preference.sha256, "now": digest},
            hint=(
                "bytes were replaced under one name, or the lock was edited: find out which."
                f" To lock what is there now: --upgrade-package {wheel.name}"
            ),
        )
    return digest


def _notes(provider: Provider, wheels: list[Wheel]) -> list[str]:
    notes = [
        f"{name} has no extra `{extra}`; it was left out"
        for name, extra in sorted(provider.demands.missing_extras)
        if any(wheel.name == canonicalize_name(name) for wheel in wheels)
    ]
    for wheel in wheels:
        metadata = provider.finder.metadata(wheel)
        if not isinstance(metadata, str) and metadata.legacy:
            notes.append(
                f"{wheel.name} {wheel.version} requires `{metadata.legacy[0]}`, which PEP 440"
                " forbids: `rdna1-lock sync` and uv install it, pip from 24.1 on refuses to"
            )
        if wheel.version.is_prerelease and not provider.names_prerelease(wheel):
            notes.append(f"{wheel.name} {wheel.version} is a pre-release: no stable release fits")
        if wheel.file.yanked is not None:
            reason = f": {wheel.file.yanked}" if wheel.file.yanked else ""
            notes.append(f"{wheel.name} {wheel.version} was yanked from its index{reason}")
    return notes
