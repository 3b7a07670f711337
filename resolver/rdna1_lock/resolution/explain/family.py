"""Why a build of the torch family cannot be taken, and what is known about it on RDNA1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import NormalizedName
from packaging.version import Version

from rdna1_lock.errors import NoSolutionError
from rdna1_lock.model import specifier_text
from rdna1_lock.resolution.explain.reason import Reason, about_rule, combined
from rdna1_lock.resolution.finder import sdist_versions
from rdna1_lock.rules import load_known, load_stack, stack_ids

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from packaging.specifiers import SpecifierSet

    from rdna1_lock.resolution.model import Requirement
    from rdna1_lock.resolution.provider import Provider
    from rdna1_lock.rules import Build


def family_reasons(provider: Provider, project: str, wanted: Sequence[Requirement]) -> list[Reason]:
    """Say why no build of this member of the torch family meets what is asked of it."""
    specifier = combined(wanted)
    if provider.matching_versions(project, specifier):
        return []
    asked = next(
        (item.origin.text for item in wanted if item.parent is None), f"{project}{specifier}"
    )
    if project not in provider.rules.family:
        return [_nothing(provider, project, asked)]
    return (
        _wrong_label(provider, project, specifier, asked)
        or _wrong_python(provider, project, specifier, asked)
        or _other_series(provider, project, specifier, asked)
        or (_mixed(provider) if len(wanted) > 1 else [])
        or [_nothing(provider, project, asked)]
    )


def unreleased_together(provider: Provider) -> list[Requirement]:
    """Return what the user asks of torch, torchvision and torchaudio if no release has it all.

    The table of releases knows that before any index is asked. Each member by itself must be
    possible; otherwise the search has the better reason.
    """
    family, rows = provider.rules.family, _rows(provider)
    asked = [item for item in provider.demands.roots() if item.identifier in family]
    if not rows or len({item.project for item in asked}) < 2:
        return []
    # For each row, which of the members it has as they are asked for.
    fits = [[_has(build, item) for item in asked] for build in rows]
    if any(map(all, fits)):
        return []
    return asked if all(map(any, zip(*fits, strict=True))) else []


def _rows(provider: Provider) -> list[Build]:
    """Return the builds of the stack's series."""
    series = provider.request.stack.series
    return [build for build in provider.rules.builds if Version(build.rocm) == series]


def _has(build: Build, item: Requirement) -> bool:
    release = build.release(str(item.project))
    return release is not None and item.specifier.contains(
        f"{release}+rocm{build.rocm}", prereleases=True
    )


def not_released_together(provider: Provider, asked: Sequence[Requirement]) -> NoSolutionError:
    """Return the error for members of the family from different releases."""
    rule = provider.rules.by_id["R02"]
    [reason] = _mixed(provider)
    return NoSolutionError(
        "no-solution",
        f"{' and '.join(item.origin.text for item in asked)} were not released together",
        facts=(
            *(f"you ask for {item.origin.text} ({item.origin.where})" for item in asked),
            *reason.lines(),
            *about_rule(rule),
        ),
        hint=rule.remedy,
    )


def _wrong_label(
    provider: Provider, project: str, specifier: SpecifierSet, asked: str
) -> list[Reason]:
    labels = {
        v.local
        for part in specifier
        if part.operator in {"==", "==="} and (v := _version(part.version)) and v.local
    }
    for label in sorted(labels):
        if not label.startswith("rocm"):
            kind = "a CUDA build" if label.startswith("cu") else f"a build for {label}"
            return [
                Reason(
                    text=f"+{label} is {kind}; it cannot use an AMD card, and its libraries do not fit a ROCm torch",
                    rule="R03",
                    headline=f"{asked} is not a ROCm build",
                    hint=f"ask for `{_stack_pin(provider, project)}`",
                )
            ]
    return []


def _wrong_python(
    provider: Provider, project: str, specifier: SpecifierSet, asked: str
) -> list[Reason]:
    stack, python = provider.request.stack, provider.request.target.python_series
    if stack.series is None:
        return []
    releases = provider.rules.releases(project, stack.series)
    inside = {
        r: p
        for r, p in releases.items()
        if specifier.contains(f"{r}+rocm{stack.series}", prereleases=True)
    }
    if not inside or any(python in pythons for pythons in inside.values()):
        return []
    release, pythons = max(inside.items(), key=lambda pair: Version(pair[0]))
    return [
        Reason(
            text=f"{project} {release}+rocm{stack.series} was built for CPython {pythons[0]} to {pythons[-1]}; the lock is for {python}",
            rule="R04",
            headline=f"{asked} is not available for Python {python}",
        )
    ]


def _other_series(
    provider: Provider, project: str, specifier: SpecifierSet, asked: str
) -> list[Reason]:
    """Explain releases that exist, but for another ROCm than the stack's."""
    stack = provider.request.stack
    found = _built_for(provider, project, specifier)
    series = sorted({s for many in found.values() for s in many})
    if not series or stack.series is None:
        return []
    built = (
        f"{project} {_releases(found, specifier)} was built for ROCm {_span(series)};"
        f" the stack {stack.id} is ROCm {stack.series}"
    )
    details = [] if project == "torch" else [_released_with(provider, project, found)]
    if not provider.rules.is_faulty(series[0]):
        return [
            Reason(
                text=built,
                details=tuple(details),
                rule="R02",
                headline=f"{asked} is not a build of the stack {stack.id}",
                hint=_stack_with(series) or f"ask for `{_stack_pin(provider, project)}`",
            )
        ]
    details += _what_is_known(sorted(map(Version, found)), series)
    pin = f"ask for `{_stack_pin(provider, project)}`"
    if project != "torch":
        headline, hint = f"{asked} does not belong to the stack {stack.id}", pin
    else:
        cards = ", ".join(provider.request.gfx)
        headline = f"{asked} does not run on {cards} with the official wheels"
        hint = "; ".join([pin, *_offers()])
    return [
        Reason(
            text=built,
            details=tuple(details),
            rule="R07" if project == "torch" else "R02",
            headline=headline,
            hint=hint,
        )
    ]


def _built_for(
    provider: Provider, project: str, specifier: SpecifierSet
) -> dict[str, list[Version]]:
    """Return the releases that are asked for, each with the ROCm series that it was built for."""
    found: dict[str, list[Version]] = {}
    for build in provider.rules.builds:
        release = build.release(project)
        if release and specifier.contains(f"{release}+rocm{build.rocm}", prereleases=True):
            found.setdefault(release, []).append(Version(build.rocm))
    return found


def _releases(found: Iterable[str], specifier: SpecifierSet) -> str:
    """Name the releases: the one that is asked for with its label, else the range."""
    for part in specifier:
        version = _version(part.version) if part.operator == "==" else None
        if version is not None and version.local:
            return str(version)
    releases = sorted(map(Version, found))
    return str(releases[0]) if len(releases) == 1 else f"{releases[0]} to {releases[-1]}"


def _released_with(provider: Provider, project: str, found: Collection[str]) -> str:
    partners = {
        Version(build.torch) for build in provider.rules.builds if build.release(project) in found
    }
    return f"it was released together with torch {_span(sorted(partners))}"


def _stack_with(series: Collection[Version]) -> str | None:
    """Return how to choose the stack that has one of the series, the default before others."""
    for name in stack_ids():
        if load_stack(name).series in series:
            return f"choose the stack with --stack {name}"
    return None


def _offers() -> list[str]:
    """Return the stacks to try where no other helps."""
    stacks = [load_stack(name) for name in stack_ids()]
    return [f"or try {stack.offer}: --stack {stack.id}" for stack in stacks if stack.offer]


def _what_is_known(releases: list[Version], series: list[Version]) -> list[str]:
    rows = [
        known
        for known in load_known()
        if any(known.torch.contains(r, prereleases=True) for r in releases)
        and any(known.rocm.contains(s, prereleases=True) for s in series)
    ]
    lines = []
    for known in rows:
        override = f", override {known.override}" if known.override else ""
        outcome = "works" if known.works else "fails"
        lines.append(
            f"torch {specifier_text(known.torch)} on ROCm {specifier_text(known.rocm)}, {', '.join(known.gpus)}{override}: {outcome}: {known.what} ({known.source})"
        )
    return lines[:6]


def _mixed(provider: Provider) -> list[Reason]:
    """Explain members of the family that were not released together."""
    pairs = [
        f"torch {b.torch} with torchvision {b.torchvision} and torchaudio {b.torchaudio}"
        for b in _rows(provider)
    ]
    return [
        Reason(
            text="torch, torchvision and torchaudio fit only as they were released together",
            details=tuple(pairs),
            rule="R02",
        )
    ]


def _nothing(provider: Provider, project: str, asked: str) -> Reason:
    stack = provider.request.stack
    live = provider.finder.seen(NormalizedName(project))
    sdists = sdist_versions(project, live.sdists)
    if sdists and (project in stack.sdist_only or not live.wheels):
        return Reason(
            text=f"the ROCm index has {project} {sdists[0]} as a source distribution only, and only wheels are locked",
            headline=f"`{asked}` has no wheel",
            hint=(
                f"build the wheel once, `pip wheel --no-deps -w wheels --index-url {stack.index} {project}=={sdists[0]}`,"
                " and resolve with `--find-links wheels`"
            ),
        )
    listed = ", ".join(str(wheel.version) for wheel in live.wheels[:4])
    there = f"; it has {listed}" if listed else ""
    return Reason(
        text=f"the ROCm index of the stack {stack.id} is the only place for {project}, and has nothing that fits{there}",
        rule="R03",
        hint=f"ask for `{_stack_pin(provider, project)}`",
    )


def _stack_pin(provider: Provider, project: str) -> str:
    stack = provider.request.stack
    for text in (*stack.requirements, *stack.optional):
        if text.partition("=")[0].partition("[")[0] == project:
            return text
    return stack.requirements[0]


def _span(versions: list[Version]) -> str:
    if len(versions) == 1:
        return str(versions[0])
    if len(versions) <= 3:
        return " and ".join(map(str, versions))
    return f"{versions[0]} to {versions[-1]}"


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except ValueError:
        return None
