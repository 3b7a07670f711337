"""What a package demands because torch is in the same lock: measured facts, bounds of extras."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from rdna1_lock.model import specifier_text
from rdna1_lock.resolution.model import Kind, Origin, Requirement
from rdna1_lock.rules import TORCH

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from packaging.requirements import Requirement as ParsedRequirement
    from packaging.version import Version

    from rdna1_lock.model import WheelMetadata
    from rdna1_lock.resolution.model import Candidate, Request
    from rdna1_lock.rules import RuleSet


# How many times a search without torch may run into a package that needs it.
MOST_WITHOUT_TORCH = 25


class TorchMetError(Exception):
    """The search has met torch, where it goes on only without."""


class BesideTorch:
    """The demands that hold in a lock with torch; ``on`` once torch is known to be needed.

    A soft demand yields for the packages in ``loosened``. While ``patience`` lasts, torch is not
    to be had, so that an answer without it is found where there is one.
    """

    def __init__(self, request: Request, rules: RuleSet) -> None:
        self._request = request
        self._applications = rules.applications
        self._extra_rules = [rule for rule in rules.rules if rule.extras]
        self._soft: set[str] = set()
        self.loosened: set[str] = set()
        self.on = False
        self.patience: int | None = None

    def counts_for(self, candidate: Candidate) -> bool:
        """Say whether a candidate can have such demands: not torch itself, nor an extra."""
        return (
            self.on
            and candidate.wheel is not None
            and candidate.extra is None
            and not self._request.stack.in_family(candidate.project)
        )

    def holds_back(self, package: str) -> bool:
        """Say whether some release of a package is refused beside torch."""
        record = self._applications.of(package) if self.on else None
        return record is not None and any(fact.on == TORCH for fact in record.facts)

    def measured(self, candidate: Candidate) -> Iterator[Requirement]:
        """Yield what the facts about a release demand; no metadata is needed for that."""
        for fact in self._applications.facts(candidate.project, candidate.version):
            if fact.despite_extra or fact.id in self._request.allow:
                continue
            text = f"{fact.on}{specifier_text(fact.specifier)}"
            if fact.on == TORCH:
                text = "a CUDA build of torch" if fact.cuda else f"torch{text.removeprefix(TORCH)}"
            yield from self._demand(
                candidate,
                on=fact.on,
                specifier=fact.specifier,
                origin=Origin(kind=Kind.RULE, text=text, rule=fact.id),
                soft=fact.part is not None,
            )

    def said(self, candidate: Candidate, metadata: WheelMetadata) -> Iterator[Requirement]:
        """Yield the bound of an extra called ``torch``: weaker than any fact about the release."""
        for rule, bound in self.bounds_of_extras(candidate.project, candidate.version, metadata):
            yield from self._demand(
                candidate,
                on=TORCH,
                specifier=bound,
                origin=Origin(kind=Kind.RULE, text=f"torch{specifier_text(bound)}", rule=rule),
                soft=True,
            )

    def bounds_of_extras(
        self, package: str, version: Version, metadata: WheelMetadata
    ) -> Iterator[tuple[str, SpecifierSet]]:
        """Yield what extras named by a rule ask of torch, unless a fact knows the release."""
        for rule in self._extra_rules:
            extras = sorted(set(rule.extras) & set(metadata.extras))
            if not extras or any(
                fact.on == TORCH for fact in self._applications.facts(package, version)
            ):
                continue
            bound = SpecifierSet()
            for parsed in metadata.requires:
                if parsed.name == "torch" and any(self._opened(parsed, extra) for extra in extras):
                    bound &= parsed.specifier
            if len(bound):
                yield rule.id, bound

    def refuse_torch(self) -> None:
        """Count one more package that needs torch in a search without it.

        Raises:
            TorchMetError: there are too many; nobody means such an answer.

        """
        if self.patience is not None:
            self.patience -= 1
            if self.patience < 0:
                raise TorchMetError

    def loosen(self, demands: Iterable[Requirement]) -> bool:
        """Let soft demands go: those of a conflict, else all that were met; false without any."""
        names = {
            str(item.parent.project) for item in demands if item.soft and item.parent is not None
        }
        names = (names or self._soft) - self.loosened
        self.loosened |= names
        return bool(names)

    def _opened(self, parsed: ParsedRequirement, extra: str) -> bool:
        environment = {**self._request.target.marker_environment, "extra": ""}
        marker = parsed.marker
        return (
            marker is not None
            and marker.evaluate({**environment, "extra": extra})
            and not marker.evaluate(environment)
        )

    def _demand(
        self,
        candidate: Candidate,
        *,
        on: str,
        specifier: SpecifierSet,
        origin: Origin,
        soft: bool,
    ) -> Iterator[Requirement]:
        if soft:
            if candidate.project in self.loosened:
                return
            self._soft.add(str(candidate.project))
        project = NormalizedName(on) if on == TORCH else canonicalize_name(on)
        yield Requirement(
            identifier=project,
            project=project,
            origin=origin,
            specifier=specifier,
            parent=candidate,
            soft=soft,
            without_torch=on == TORCH,
        )


def hint_of_torch() -> Requirement:
    """Return a root that nobody asked for: torch is known to come, so it is settled first."""
    name = canonicalize_name("torch")
    return Requirement(
        identifier=name, project=name, origin=Origin(kind=Kind.PRESENCE, text="torch")
    )
