"""What to say of a lock with torch: what was held back, overruled, or never run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from rdna1_lock.model import specifier_text
from rdna1_lock.resolution.model import HeldBack, Unmeasured
from rdna1_lock.rules import TORCH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from packaging.version import Version

    from rdna1_lock.model import Wheel
    from rdna1_lock.resolution.model import Requirement
    from rdna1_lock.resolution.provider import Provider


class Outcome:
    """Looks back on a search that found ``wheels``; without torch among them it has nothing to say."""

    def __init__(self, provider: Provider, wheels: Sequence[Wheel]) -> None:
        self._provider = provider
        self._beside = provider.demands.beside_torch
        self._applications = provider.rules.applications
        self._torch = next((wheel.version for wheel in wheels if wheel.name == "torch"), None)
        stack = provider.request.stack
        self._wheels = [wheel for wheel in wheels if not stack.in_family(wheel.name)]

    def held_back(self) -> tuple[HeldBack, ...]:
        """Return the packages whose newer releases were tried and refused."""
        if self._torch is None:
            return ()
        refused: dict[str, list[Requirement]] = {}
        for item in self._provider.edges().get(TORCH, ()):
            if item.parent is not None and not item.accepts(self._torch):
                refused.setdefault(str(item.parent.project), []).append(item)
        found = (self._held(wheel, refused.get(wheel.name, [])) for wheel in self._wheels)
        return tuple(item for item in found if item is not None)

    def _held(self, wheel: Wheel, refused: Sequence[Requirement]) -> HeldBack | None:
        newer = {
            item.parent.version: item
            for item in refused
            if item.parent is not None and item.parent.version > wheel.version
        }
        if not newer:
            return None
        newest = max(newer)
        rules = [newer[version].origin.rule for version in sorted(newer, reverse=True)]
        preference = self._provider.request.preferences.get(wheel.name)
        kept = None if preference is None else preference.version
        return HeldBack(
            package=str(wheel.name),
            version=str(wheel.version),
            newest=str(newest),
            by=tuple(dict.fromkeys(rule for rule in rules if rule)),
            why=self._why(str(wheel.name), newest, newer[newest]),
            moved_from=kept if kept in set(map(str, newer)) else None,
        )

    def _why(self, package: str, version: Version, item: Requirement) -> str:
        for fact in self._applications.facts(package, version):
            if fact.id == item.origin.rule:
                return fact.why
        return f"its own extra asks for {item.origin.text}"

    def unmeasured(self) -> tuple[Unmeasured, ...]:
        """Return the packages that build on torch, or were asked for, and were not run so."""
        if self._torch is None:
            return ()
        asked = {root.project for root in self._provider.demands.roots()}
        found = []
        for wheel in self._wheels:
            record = self._applications.of(wheel.name)
            newest = None if record is None else record.newest(self._torch)
            if newest is not None and wheel.version <= newest:
                continue
            if record is not None or wheel.name in asked or self._builds_on_torch(wheel):
                found.append(
                    Unmeasured(
                        package=str(wheel.name),
                        version=str(wheel.version),
                        newest=None if newest is None else str(newest),
                    )
                )
        return tuple(found)

    def _builds_on_torch(self, wheel: Wheel) -> bool:
        metadata = self._provider.finder.metadata(wheel)
        in_family = self._provider.request.stack.in_family
        return not isinstance(metadata, str) and any(
            in_family(canonicalize_name(parsed.name)) for parsed in metadata.requires
        )

    def notes(self) -> Iterator[str]:
        """Yield what was overruled: by --allow, by a pin of the user, or for lack of a choice."""
        if self._torch is None:
            for fact_id in sorted(self._provider.request.allow):
                yield f"--allow {fact_id} has no effect: the lock has no torch"
            return
        used = set()
        for wheel in self._wheels:
            for fact in self._applications.facts(wheel.name, wheel.version):
                label = f"{wheel.name} {wheel.version}"
                if fact.id in self._provider.request.allow:
                    used.add(fact.id)
                    yield f"{label}: {fact.why} You allowed it ({fact.id})."
                elif fact.part is not None and wheel.name in self._beside.loosened:
                    yield f"{label} runs only in part, without {fact.part}: {fact.why} ({fact.id})"
            yield from self._extra_overruled(wheel)
        for fact_id in sorted(self._provider.request.allow - used):
            yield f"--allow {fact_id} has no effect: the lock has no release that it is about"

    def _extra_overruled(self, wheel: Wheel) -> Iterator[str]:
        if self._torch is None or wheel.name not in self._beside.loosened:
            return
        metadata = self._provider.finder.metadata(wheel)
        if isinstance(metadata, str):
            return
        bounds = self._beside.bounds_of_extras(str(wheel.name), wheel.version, metadata)
        for rule, bound in bounds:
            if not bound.contains(self._torch, prereleases=True):
                yield (
                    f"{wheel.name} {wheel.version} may not run: its own extra asks for"
                    f" torch{specifier_text(bound)}, and nobody has tried it with"
                    f" torch {self._torch.public} ({rule})"
                )
