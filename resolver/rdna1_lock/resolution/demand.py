"""What is demanded: by the user, by metadata, and by the rules, in one form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from rdna1_lock.model import specifier_text
from rdna1_lock.resolution.beside_torch import BesideTorch
from rdna1_lock.resolution.model import Candidate, Kind, Origin, Requirement
from rdna1_lock.rules import TORCH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.markers import Marker
    from packaging.requirements import Requirement as ParsedRequirement

    from rdna1_lock.model import WheelMetadata
    from rdna1_lock.resolution.finder import Finder
    from rdna1_lock.resolution.model import Request, UserRequirement
    from rdna1_lock.rules import RuleSet

# A requirement on this has no candidate: so a broken wheel is passed over, and the reason kept.
UNUSABLE = "<usable>"


class Demands:
    """Turns requirement strings and rules into requirements for one target."""

    def __init__(self, finder: Finder, request: Request, rules: RuleSet) -> None:
        self._finder = finder
        self._request = request
        self._rules = rules
        self._environment = {**request.target.marker_environment, "extra": ""}
        self._constraints: dict[str, list[UserRequirement]] = {}
        self._user_urls: dict[str, str] = {}
        self.beside_torch = BesideTorch(request, rules)
        self.missing_extras: set[tuple[str, str]] = set()
        self.allow_legacy = False
        self.assumed: set[str] = set()
        self.refused_legacy: set[str] = set()
        for item in request.requirements:
            name = canonicalize_name(item.parsed.name)
            if item.constraint:
                self._constraints.setdefault(name, []).append(item)
            if item.parsed.url:
                self._user_urls[name] = item.parsed.url

    def roots(self) -> list[Requirement]:
        """Return the user's requirements that apply to the target, in an order of their own."""
        found: list[Requirement] = []
        items = [item for item in self._request.requirements if not item.constraint]
        for item in sorted(items, key=lambda item: (str(item.parsed), item.where)):
            if item.parsed.marker is None or item.parsed.marker.evaluate(self._environment):
                origin = Origin(kind=Kind.USER, text=_plain(item.parsed), where=item.where)
                found += self._expand(item.parsed, origin, parent=None)
        for bound in self._request.requires_python:
            found.append(
                Requirement(
                    identifier="<python>",
                    project=NormalizedName("<python>"),
                    origin=Origin(
                        kind=Kind.USER,
                        text=f"Python {specifier_text(bound.specifier)}",
                        where=bound.where,
                    ),
                    specifier=bound.specifier,
                )
            )
        return found

    def by_name(self, candidate: Candidate) -> Iterator[Requirement]:
        """Yield what is known of a candidate by name and version, before its metadata is read."""
        if candidate.project == "torch" and candidate.extra is None:
            yield _presence(candidate)
        elif self.beside_torch.counts_for(candidate):
            yield from self.beside_torch.measured(candidate)

    def of(self, candidate: Candidate) -> Iterator[Requirement]:
        """Yield what a candidate needs."""
        wheel = candidate.wheel
        if wheel is None:
            return
        metadata = self._finder.metadata(wheel)
        if isinstance(metadata, str):
            yield _broken(candidate, f"{wheel.filename}: {metadata}")
            return
        if metadata.legacy and not self.allow_legacy:
            # Some installers refuse it, so another version is preferred where one fits.
            self.refused_legacy.add(str(candidate))
            yield _broken(candidate, f"it requires `{metadata.legacy[0]}`, which PEP 440 forbids")
            return
        if candidate.extra is not None:
            yield self._same_wheel(candidate)
            if candidate.extra not in metadata.extras:
                self.missing_extras.add((str(wheel.name), str(candidate.extra)))
        else:
            yield from self._bounds(candidate, metadata)
            family = self._request.stack.in_family(candidate.project)
            if not family and self.beside_torch.counts_for(candidate):
                yield from self.beside_torch.said(candidate, metadata)
        for parsed in metadata.requires:
            if not self._applies(parsed.marker, candidate.extra):
                continue
            origin = Origin(kind=Kind.METADATA, text=_plain(parsed))
            if parsed.url and self._user_urls.get(canonicalize_name(parsed.name)) != parsed.url:
                # R03 in general: what an index serves must not lead to some other place.
                yield _broken(
                    candidate, f"it requires {_plain(parsed)}, a URL that nobody asked for"
                )
                return
            yield from self._expand(parsed, origin, parent=candidate)

    def _same_wheel(self, candidate: Candidate) -> Requirement:
        return Requirement(
            identifier=candidate.project,
            project=candidate.project,
            origin=Origin(kind=Kind.EXTRA, text=f"{candidate.project}=={candidate.version}"),
            specifier=SpecifierSet(f"==={candidate.version}"),
            exact=candidate.wheel,
            parent=candidate,
        )

    def _bounds(self, candidate: Candidate, metadata: WheelMetadata) -> Iterator[Requirement]:
        if metadata.requires_python:
            yield Requirement(
                identifier="<python>",
                project=NormalizedName("<python>"),
                origin=Origin(
                    kind=Kind.REQUIRES_PYTHON, text=describe("<python>", metadata.requires_python)
                ),
                specifier=metadata.requires_python,
                parent=candidate,
            )
        if not self._request.stack.in_family(candidate.project):
            return
        for on, specifier, rule in self._rules.dependencies(candidate.project, candidate.version):
            yield Requirement(
                identifier=on,
                project=NormalizedName(on),
                origin=Origin(kind=Kind.RULE, text=describe(on, specifier), rule=rule),
                specifier=specifier,
                parent=candidate,
            )

    def _applies(self, marker: Marker | None, extra: str | None) -> bool:
        if marker is None:
            return extra is None
        if extra is None:
            return marker.evaluate(self._environment)
        with_extra = {**self._environment, "extra": extra}
        return marker.evaluate(with_extra) and not marker.evaluate(self._environment)

    def _expand(
        self, parsed: ParsedRequirement, origin: Origin, parent: Candidate | None
    ) -> Iterator[Requirement]:
        name = canonicalize_name(parsed.name)
        if name in self.assumed:
            return
        identifiers = [
            str(name),
            *(f"{name}[{extra}]" for extra in sorted(map(canonicalize_name, parsed.extras))),
        ]
        bounds = [
            item
            for item in self._constraints.get(name, ())
            if item.parsed.marker is None or item.parsed.marker.evaluate(self._environment)
        ]
        # A constraint may say where to take it from; no index need know the project then.
        url = parsed.url or next((item.parsed.url for item in bounds if item.parsed.url), None)
        for identifier in identifiers:
            yield Requirement(
                identifier=identifier,
                project=name,
                origin=origin,
                specifier=parsed.specifier,
                url=url,
                parent=parent,
            )
        for item in bounds:
            yield Requirement(
                identifier=str(name),
                project=name,
                origin=Origin(kind=Kind.CONSTRAINT, text=_plain(item.parsed), where=item.where),
                specifier=item.parsed.specifier,
                url=item.parsed.url,
                parent=parent,
            )


def _presence(candidate: Candidate) -> Requirement:
    """Return what ties ``<torch>`` to the torch wheel that is chosen."""
    return Requirement(
        identifier=TORCH,
        project=NormalizedName(TORCH),
        origin=Origin(kind=Kind.PRESENCE, text=f"torch {candidate.version.public}"),
        specifier=SpecifierSet(f"=={candidate.version.public}"),
        parent=candidate,
    )


def describe(on: str, specifier: SpecifierSet) -> str:
    """Write a demand on a virtual package or project as people say it."""
    names = {"<python>": "Python ", "<rocm>": "ROCm ", "<gfx>": "gfx ", "<glibc>": "glibc "}
    return f"{names.get(on, on)}{specifier_text(specifier)}"


def _broken(candidate: Candidate, reason: str) -> Requirement:
    return Requirement(
        identifier=UNUSABLE,
        project=NormalizedName(UNUSABLE),
        origin=Origin(kind=Kind.BROKEN, text=reason),
        parent=candidate,
    )


def _plain(parsed: ParsedRequirement) -> str:
    extras = f"[{','.join(sorted(parsed.extras))}]" if parsed.extras else ""
    if parsed.url:
        return f"{parsed.name}{extras} @ {parsed.url}"
    return f"{parsed.name}{extras}{specifier_text(parsed.specifier)}"
