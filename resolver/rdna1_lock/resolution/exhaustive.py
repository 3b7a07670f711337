"""The last resort: try everything, in order, without ever letting go of a pin.

resolvelib re-pins a package when a later one demands it, and so two packages that demand each
other's other version keep it going round for ever. This search answers such a universe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resolvelib import ResolutionImpossible, ResolutionTooDeep
from resolvelib.structs import RequirementInformation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rdna1_lock.resolution.model import Candidate, Requirement
    from rdna1_lock.resolution.provider import Provider

Demanded = dict[str, list["Requirement"]]


class Exhaustive:
    """One depth-first search over the candidates of a provider, within a number of steps."""

    def __init__(self, provider: Provider, most_steps: int) -> None:
        self._provider = provider
        self._steps = most_steps
        self._conflict: dict[int, Requirement] = {}

    def search(self, roots: Iterable[Requirement]) -> dict[str, Candidate]:
        """Return a candidate for every identifier that is needed.

        Raises:
            ResolutionImpossible: everything was tried.
            ResolutionTooDeep: the steps were used up.

        """
        demanded: Demanded = {}
        for item in roots:
            demanded.setdefault(item.identifier, []).append(item)
        pins = self._extend(demanded, {})
        if pins is None:
            raise ResolutionImpossible(
                [RequirementInformation(item, item.parent) for item in self._conflict.values()]
            )
        return pins

    def _extend(
        self, demanded: Demanded, pins: dict[str, Candidate]
    ) -> dict[str, Candidate] | None:
        open_names = [name for name in demanded if name not in pins]
        if not open_names:
            return pins
        self._steps -= 1
        if self._steps < 0:
            raise ResolutionTooDeep(0)
        name = min(open_names, key=lambda name: (not name.startswith("<"), name))
        requirements = {key: iter(items) for key, items in demanded.items()}
        candidates = self._provider.find_matches(name, requirements, {name: iter(())})
        if not candidates:
            self._conflict.update((id(item), item) for item in demanded[name])
        for candidate in candidates:
            more = {key: list(items) for key, items in demanded.items()}
            fits = True
            for item in self._provider.get_dependencies(candidate):
                more.setdefault(item.identifier, []).append(item)
                pinned = candidate if item.identifier == name else pins.get(item.identifier)
                if pinned is not None and not self._provider.is_satisfied_by(item, pinned):
                    self._conflict.update((id(one), one) for one in more[item.identifier])
                    fits = False
                    break
            found = self._extend(more, {**pins, name: candidate}) if fits else None
            if found is not None:
                return found
        return None
