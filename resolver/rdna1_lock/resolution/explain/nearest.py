"""The newest release that fits, for each requirement of the user that has a part in a conflict."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.requirements import Requirement as ParsedRequirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rdna1_lock.resolution.model import Candidate, UserRequirement
    from rdna1_lock.resolution.provider import Provider

# Each costs a search; a conflict seldom has more parts.
MOST_TRIES = 3


def nearest(
    provider: Provider, search: Callable[[Provider], Sequence[Candidate] | None]
) -> list[str]:
    """Return a line for each requirement without whose bound all would fit: what is then taken.

    ``search`` returns the candidates of a provider's requirements, None where there is no solution.
    """
    lines = []
    bounded = [
        item
        for item in provider.request.requirements
        if not item.constraint and item.parsed.specifier and not item.parsed.url
    ]
    for item in bounded[:MOST_TRIES]:
        found = search(_without_bound(provider, item))
        name = canonicalize_name(item.parsed.name)
        taken = [one.version for one in found or () if one.identifier == name]
        lines += [f"{name} {version} is the newest that fits" for version in taken]
    return lines


def _without_bound(provider: Provider, item: UserRequirement) -> Provider:
    """Return a provider for the same requirements, one of them without its specifier."""
    parsed = ParsedRequirement(str(item.parsed))
    parsed.specifier = type(parsed.specifier)()
    relaxed = replace(item, parsed=parsed)
    requirements = tuple(
        relaxed if other is item else other for other in provider.request.requirements
    )
    return provider.with_requirements(requirements)
