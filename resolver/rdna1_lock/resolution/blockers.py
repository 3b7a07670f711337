"""Projects that have no wheel: all of them from one run, not one a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdna1_lock.errors import NoSolutionError
from rdna1_lock.resolution.explain.conflict import explain
from rdna1_lock.resolution.explain.reason import combined
from rdna1_lock.resolution.finder import sdist_versions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.version import Version
    from resolvelib.structs import RequirementInformation

    from rdna1_lock.resolution.model import Candidate, Requirement
    from rdna1_lock.resolution.provider import Provider

    Causes = Sequence[RequirementInformation[Requirement, Candidate]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocker:
    """A project whose newest fitting release is a source distribution; ``asked`` is who needs it."""

    project: str
    version: Version
    asked: str


def find_blockers(provider: Provider, causes: Causes) -> list[Blocker]:
    """Return the projects of a conflict that have source distributions, and no wheel, that fit."""
    demands: dict[str, list[Requirement]] = {}
    for cause in causes:
        demands.setdefault(str(cause.requirement.project), []).append(cause.requirement)
    found = []
    for project, wanted in sorted(demands.items()):
        if project.startswith("<") or any(item.url for item in wanted):
            continue
        if provider.request.stack.in_family(project) or provider.matching(
            wanted[0].project, wanted
        ):
            continue
        specifier = combined(wanted)
        versions = sdist_versions(project, provider.finder.seen(wanted[0].project).sdists)
        fitting = [version for version in versions if specifier.contains(version)]
        if fitting:
            parent = wanted[0].parent
            asked = "you ask for it" if parent is None else f"{parent} needs it"
            found.append(Blocker(project=project, version=fitting[0], asked=asked))
    return found


def blocked(
    provider: Provider, blockers: Sequence[Blocker], causes: Causes | None
) -> NoSolutionError:
    """Return the error for all blockers together, with the command that builds each wheel.

    ``causes`` are those of a conflict that remains once they are built; None where none does.
    """
    if len(blockers) == 1 and causes is not None:
        return explain(provider, causes)
    names = ", ".join(f"`{one.project}`" for one in blockers)
    facts = [
        f"{one.project} {one.version} is a source distribution, and only wheels are locked ({one.asked})"
        for one in blockers
    ]
    if causes is not None:
        rest = explain(provider, causes)
        facts += ["with these wheels there is still a conflict:", f"    {rest.message}"]
        facts += [f"    {fact}" for fact in rest.facts]
    commands = " ".join(f"{one.project}=={one.version}" for one in blockers)
    return NoSolutionError(
        "no-solution",
        f"{names} {'has' if len(blockers) == 1 else 'have'} no wheel",
        facts=tuple(facts),
        hint=f"build {'it' if len(blockers) == 1 else 'them'} once, `rdna1-lock wheel {commands}`, and resolve with `--find-links wheels`",
    )
