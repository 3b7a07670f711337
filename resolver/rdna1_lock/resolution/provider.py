"""What resolvelib asks, answered from wheels and rules.

The rules are dependencies here: a torch wheel depends on ``<python>``, ``<rocm>``, ``<gfx>`` and
``<glibc>``, each of which has the candidates that the target offers. So one search finds,
backtracks over and can explain both kinds.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version
from resolvelib import AbstractProvider

from rdna1_lock.errors import NetworkError
from rdna1_lock.model import Wheel, specifier_text
from rdna1_lock.resolution.beside_torch import MOST_WITHOUT_TORCH, TorchMetError
from rdna1_lock.resolution.demand import Demands
from rdna1_lock.resolution.model import NO_TORCH, Candidate, Requirement
from rdna1_lock.rules import TORCH, Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from resolvelib.structs import RequirementInformation

    from rdna1_lock.resolution.finder import Finder
    from rdna1_lock.resolution.model import Request, UserRequirement
    from rdna1_lock.rules import RuleSet


class Provider(AbstractProvider[Requirement, Candidate, str]):
    """An adapter: it translates and remembers, and decides nothing by itself."""

    def __init__(self, finder: Finder, request: Request, rules: RuleSet) -> None:
        self.finder = finder
        self.request = request
        self.rules = rules
        self.demands = Demands(finder, request, rules)
        self._candidates: dict[tuple[str, object], Candidate] = {}
        self._way_to_torch: list[Requirement] = []
        self._by_name: dict[Candidate, tuple[Requirement, ...]] = {}
        self._dependencies: dict[Candidate, tuple[Requirement, ...]] = {}
        self._user_pins: dict[str, list[SpecifierSet]] = {}
        self._asked: Counter[str] = Counter()
        for item in request.requirements:
            name = canonicalize_name(item.parsed.name)
            self._user_pins.setdefault(name, []).append(item.parsed.specifier)

    def take_legacy(self) -> None:
        """Take wheels whose metadata is from before PEP 440 as well, from now on."""
        self.demands.allow_legacy = True
        self._forget()

    def count_facts(self) -> None:
        """Let what was measured beside torch count, from now on."""
        self.demands.beside_torch.on, self.demands.beside_torch.patience = True, None
        self._forget()

    def avoid_torch(self) -> None:
        """Look for an answer without torch, where no fact counts."""
        self.demands.beside_torch.on = False
        self.demands.beside_torch.patience = MOST_WITHOUT_TORCH
        self._forget()

    def remember_way_to_torch(self) -> None:
        """Keep the demands that led to torch, for the explanation of a later search."""
        self._way_to_torch = [item for many in self.edges().values() for item in many]

    def loosen(self, causes: Iterable[RequirementInformation[Requirement, Candidate]]) -> bool:
        """Let soft demands go after a search that failed; false where there was none."""
        found = self.demands.beside_torch.loosen(cause.requirement for cause in causes)
        if found:
            self._forget()
        return found

    def _forget(self) -> None:
        self._by_name.clear()
        self._dependencies.clear()

    def with_requirements(self, requirements: tuple[UserRequirement, ...]) -> Provider:
        """Return a provider for other requirements, over the same finder and what it knows."""
        other = Provider(self.finder, replace(self.request, requirements=requirements), self.rules)
        other.demands.allow_legacy = self.demands.allow_legacy
        other.demands.assumed = set(self.demands.assumed)
        other.demands.beside_torch.loosened |= self.demands.beside_torch.loosened
        return other

    def assume(self, projects: set[str]) -> None:
        """Take projects for given, whatever is asked of them, from now on."""
        self.demands.assumed |= projects
        self._forget()

    def busiest(self) -> list[str]:
        """Return the names that the search has asked for most often."""
        return [name for name, _ in self._asked.most_common(6) if not name.startswith("<")]

    # --- the questions of resolvelib -------------------------------------------------------

    def identify(self, requirement_or_candidate: Requirement | Candidate) -> str:
        """Return the name under which requirements meet candidates."""
        return requirement_or_candidate.identifier

    def get_preference(
        self,
        identifier: str,
        resolutions: Mapping[str, Candidate],
        candidates: Mapping[str, Iterator[Candidate]],
        information: Mapping[str, Iterator[RequirementInformation[Requirement, Candidate]]],
        backtrack_causes: Sequence[RequirementInformation[Requirement, Candidate]],
    ) -> tuple[bool, bool, bool, bool, bool, bool, str]:
        """Order the open names: torch, facts of the target, the family, pins, then by name.

        torch and its family have few builds and decide most (numpy, Python): whatever is chosen
        before them would be tried release by release when it does not fit. What a fact holds back
        goes before what it needs: settled first, huggingface-hub would leave a transformers of
        years ago.
        """
        pinned = direct = False
        for requirement, parent in information[identifier]:
            direct = direct or parent is None
            pinned = pinned or any(part.operator in {"==", "==="} for part in requirement.specifier)
        family = self.request.stack.in_family(identifier.partition("[")[0])
        return (
            identifier != "torch",
            not identifier.startswith("<"),
            not family,
            not pinned,
            not self.demands.beside_torch.holds_back(identifier),
            not direct,
            identifier,
        )

    def narrow_requirement_selection(
        self,
        identifiers: Iterable[str],
        resolutions: Mapping[str, Candidate],
        candidates: Mapping[str, Iterator[Candidate]],
        information: Mapping[str, Iterator[RequirementInformation[Requirement, Candidate]]],
        backtrack_causes: Sequence[RequirementInformation[Requirement, Candidate]],
    ) -> Iterable[str]:
        """Once a conflict is known, settle the names that take part in it first."""
        names = list(identifiers)
        if not backtrack_causes:
            return names
        involved = {
            name
            for requirement, parent in backtrack_causes
            for name in (requirement.identifier, parent.identifier if parent else None)
        }
        return [
            name for name in names if name in involved or self.demands.beside_torch.holds_back(name)
        ] or names

    def find_matches(
        self,
        identifier: str,
        requirements: Mapping[str, Iterator[Requirement]],
        incompatibilities: Mapping[str, Iterator[Candidate]],
    ) -> list[Candidate]:
        """Return the candidates that meet all requirements, best first.

        After a backjump nothing may be required of a name any more; then all of it matches.
        """
        self._asked[identifier] += 1
        wanted = list(requirements[identifier])
        excluded = set(incompatibilities[identifier])
        name, _, bracket = identifier.partition("[")
        project = NormalizedName(name)
        if project == "torch" and self.demands.beside_torch.patience is not None:
            self.demands.beside_torch.refuse_torch()
            return []
        if identifier.startswith("<"):
            found = [
                self._virtual(identifier, version) for version in self.offered(identifier, wanted)
            ]
        else:
            if identifier != project:
                # An extra is of the wheel of its project, so the project's bounds hold for it.
                wanted += list(requirements.get(project, iter(())))
            extra = canonicalize_name(bracket.rstrip("]")) if bracket else None
            found = [self._project(wheel, extra) for wheel in self.matching(project, wanted)]
        found = [candidate for candidate in found if candidate not in excluded]
        for candidate in found[:1]:
            if candidate.wheel is not None:
                self.finder.sources.prefetch_metadata(candidate.wheel)
        return found

    def is_satisfied_by(self, requirement: Requirement, candidate: Candidate) -> bool:
        """Say whether a pinned candidate meets one more requirement."""
        if requirement.exact is not None:
            return candidate.wheel is requirement.exact
        if requirement.url is not None and (
            candidate.wheel is None
            or candidate.wheel.file.url != _without_fragment(requirement.url)
        ):
            return False
        return requirement.accepts(candidate.version)

    def get_dependencies(self, candidate: Candidate) -> Iterator[Requirement]:
        """Yield what a candidate needs by its metadata and by the rules.

        What its name and version tell comes first: a candidate that this refuses costs no
        metadata.
        """
        if candidate.project == "torch" and not self.demands.beside_torch.on:
            raise TorchMetError
        if candidate.wheel is None:
            return
        if candidate not in self._by_name:
            self._by_name[candidate] = tuple(self.demands.by_name(candidate))
        yield from self._by_name[candidate]
        if candidate not in self._dependencies:
            found = tuple(self.demands.of(candidate))
            self._dependencies[candidate] = found
            self.finder.sources.prefetch_pages(
                sorted(
                    {
                        item.project
                        for item in found
                        if not item.project.startswith("<") and not item.url
                    }
                )
            )
        yield from self._dependencies[candidate]

    def demands_of(self, project: NormalizedName, version: Version) -> tuple[Requirement, ...]:
        """Return what a release needs, if the search has come across it."""
        for candidate, found in self._dependencies.items():
            if candidate.identifier == project and candidate.version == version:
                return found
        return ()

    # --- candidates ------------------------------------------------------------------------

    def offered(self, identifier: str, wanted: Iterable[Requirement]) -> list[Version]:
        """Return what the target offers of a virtual package, within the requirements."""
        wanted = list(wanted)
        target, stack = self.request.target, self.request.stack
        offers: list[Version] = []
        if identifier == "<python>":
            offers = [target.python_full]
        elif identifier == "<glibc>":
            offers = [Version(f"2.{target.glibc_minor}")]
        elif identifier == "<gfx>":
            offers = sorted(stack.presented_gfx(self.request.gfx))
        elif identifier == "<rocm>":
            seen = [
                known.version for known in self._candidates.values() if known.identifier == "<rocm>"
            ]
            offers = [stack.series] if stack.series else _exact_versions(wanted) or seen
            offers = [v for v in offers if stack.rocm.contains(v, prereleases=True)]
        elif identifier == TORCH:
            tied = [item for item in wanted if not item.without_torch]
            offers = [*_exact_versions(tied), NO_TORCH]
        return [version for version in offers if all(item.accepts(version) for item in wanted)]

    def matching(self, project: NormalizedName, wanted: Sequence[Requirement]) -> list[Wheel]:
        """Return the wheels of a project that meet the requirements, best first."""
        exact = {item.exact for item in wanted if item.exact is not None}
        urls = {item.url for item in wanted if item.url is not None}
        specifier = SpecifierSet()
        for item in wanted:
            specifier &= item.specifier
        if exact:
            wheels: list[Wheel] = list(exact) if len(exact) == 1 else []
        elif urls:
            by_url = [self.finder.wheel_at(project, url) for url in sorted(urls)]
            distinct = {w.file.url: w for w in by_url if isinstance(w, Wheel)}
            whole = len(distinct) == 1 and not any(isinstance(w, Rejected) for w in by_url)
            wheels = list(distinct.values()) if whole else []
        else:
            wheels = self._usable(project, specifier)
        if exact or urls:
            return [w for w in wheels if specifier.contains(w.version, prereleases=True)]
        return self._preferred(project, wheels)

    def matching_versions(self, project: str, specifier: SpecifierSet) -> list[Version]:
        """Return the versions that would be taken of what was seen, without asking further."""
        wheels = self.finder.seen(NormalizedName(project)).wheels
        return [wheel.version for wheel in self._filtered(wheels, project, specifier)]

    def names_prerelease(self, wheel: Wheel) -> bool:
        """Say whether pre-releases of a project were asked for, by --pre or by a specifier."""
        demands = self.edges().get(str(wheel.name), ())
        return self.request.prereleases or any(item.specifier.prereleases for item in demands)

    def edges(self) -> dict[str, list[Requirement]]:
        """Return every demand that was met during the search, by the project that it is on."""
        found: dict[str, list[Requirement]] = {}
        for item in [
            *self.demands.roots(),
            *(one for many in self._by_name.values() for one in many),
            *(one for many in self._dependencies.values() for one in many),
            *(one for one in self._way_to_torch if one.parent is not None),
        ]:
            found.setdefault(str(item.project), []).append(item)
        return found

    def _usable(self, project: NormalizedName, specifier: SpecifierSet) -> list[Wheel]:
        found = self._filtered(self.finder.find(project).wheels, project, specifier)
        if not found and self.finder.sources.can_ask_live(project, specifier):
            found = self._filtered(self._live(project, specifier), project, specifier)
        return found

    def _live(self, project: NormalizedName, specifier: SpecifierSet) -> Iterable[Wheel]:
        try:
            return self.finder.find(project, live=True).wheels
        except NetworkError as error:
            known = [str(wheel.version) for wheel in self.finder.find(project).wheels]
            raise NetworkError(
                error.code,
                error.message,
                facts=(
                    (
                        f"the ROCm index was asked for {project}{specifier_text(specifier)}, whose hash"
                        " the embedded catalogue does not know"
                    ),
                    f"for this target the catalogue has {project} {', '.join(known)}"
                    if known
                    else f"for this target the catalogue has no {project}",
                ),
                hint=f"{error.hint}; or put the wheel into a folder and name it with --find-links",
            ) from error

    def _filtered(
        self, all_wheels: Iterable[Wheel], project: str, specifier: SpecifierSet
    ) -> list[Wheel]:
        """Keep what fits, newest first; pre-releases come after all stable releases.

        So one is taken only where no stable release works out. Of the torch family, where it
        would be a nightly, only if a specifier names a pre-release.
        """
        usable = [wheel for wheel in all_wheels if self._not_yanked(wheel)]
        inside = list(specifier.filter(usable, prereleases=True, key=lambda wheel: wheel.version))
        if self.request.prereleases:
            return inside
        stable = [wheel for wheel in inside if not wheel.version.is_prerelease]
        if self.request.stack.in_family(project) and not specifier.prereleases:
            return stable
        return stable + [wheel for wheel in inside if wheel.version.is_prerelease]

    def _not_yanked(self, wheel: Wheel) -> bool:
        """PEP 592: a yanked file is for those who name its version exactly, or have it locked."""
        if wheel.file.yanked is None:
            return True
        preference = self.request.preferences.get(wheel.name)
        if preference is not None and preference.filename == wheel.filename:
            return True
        return any(
            part.operator in {"==", "==="}
            and "*" not in part.version
            and specifier.contains(wheel.version, prereleases=True)
            for specifier in self._user_pins.get(wheel.name, ())
            for part in specifier
        )

    def _preferred(self, project: NormalizedName, wheels: list[Wheel]) -> list[Wheel]:
        preference = self.request.preferences.get(project)
        if preference is None:
            return wheels
        return sorted(wheels, key=lambda wheel: str(wheel.version) != preference.version)

    def _virtual(self, identifier: str, version: Version) -> Candidate:
        key = (identifier, version)
        if key not in self._candidates:
            self._candidates[key] = Candidate(identifier, NormalizedName(identifier), version)
        return self._candidates[key]

    def _project(self, wheel: Wheel, extra: NormalizedName | None) -> Candidate:
        identifier = f"{wheel.name}[{extra}]" if extra else wheel.name
        key = (identifier, wheel)
        if key not in self._candidates:
            self._candidates[key] = Candidate(identifier, wheel.name, wheel.version, wheel, extra)
        return self._candidates[key]


def _exact_versions(wanted: Iterable[Requirement]) -> list[Version]:
    found = set()
    for item in wanted:
        for part in item.specifier:
            if part.operator == "==":
                try:
                    found.add(Version(part.version))
                except InvalidVersion:
                    continue
    return sorted(found, reverse=True)


def _without_fragment(url: str) -> str:
    return url.partition("#")[0]
