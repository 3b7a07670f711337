"""Why a build of the torch family cannot be taken, and what is known about it on RDNA1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import NormalizedName
from packaging.version import Version

from rdna1_lock.errors import NoSolutionError
from rdna1_lock.model import specifier_text
from rdna1_lock.resolution.explain.reason import Reason, about_rule, combined
from rdna1_lock.resolution.finder import sdist_versions
from rdna1_lock.rules import FLAVOURED, load_known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.specifiers import SpecifierSet

    from rdna1_lock.resolution.model import Requirement
    from rdna1_lock.resolution.provider import Provider
    from rdna1_lock.rules import Build

NEWEST_OVERRIDE_SERIES = Version("5.2")


def family_reasons(provider: Provider, project: str, wanted: Sequence[Requirement]) -> list[Reason]:
    """Say why no build of this member of the torch family meets what is asked of it."""
    specifier = combined(wanted)
    if provider.matching_versions(project, specifier):
        return []
    asked = next(
        (item.origin.text for item in wanted if item.parent is None), f"{project}{specifier}"
    )
    if project not in FLAVOURED:
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
    stack = provider.request.stack
    asked = [item for item in provider.demands.roots() if item.identifier in FLAVOURED]
    rows = [build for build in provider.rules.builds if Version(build.rocm) == stack.series]
    if not rows or len({item.project for item in asked}) < 2:
        return []

    def has(build: Build, item: Requirement) -> bool:
        release = build.release(str(item.project))
        return release is not None and item.specifier.contains(
            f"{release}+rocm{build.rocm}", prereleases=True
        )

    if any(all(has(build, item) for item in asked) for build in rows):
        return []
    if not all(any(has(build, item) for build in rows) for item in asked):
        return []
    return asked


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
            headline=f"{asked} cannot be had for Python {python}",
        )
    ]


def _other_series(
    provider: Provider, project: str, specifier: SpecifierSet, asked: str
) -> list[Reason]:
    """Explain releases that exist, but for another ROCm than the stack's."""
    stack = provider.request.stack
    found: dict[str, list[Version]] = {}
    for build in provider.rules.builds:
        release = build.release(project)
        if release and specifier.contains(f"{release}+rocm{build.rocm}", prereleases=True):
            found.setdefault(release, []).append(Version(build.rocm))
    series = sorted({s for many in found.values() for s in many})
    if not series or stack.series is None:
        return []
    releases = sorted(map(Version, found))
    span = str(releases[0]) if len(releases) == 1 else f"{releases[0]} to {releases[-1]}"
    exact = [
        v
        for part in specifier
        if part.operator == "==" and (v := _version(part.version)) and v.local
    ]
    if exact:
        span = str(exact[0])
    built = f"{project} {span} was built for ROCm {_span(series)}; the stack {stack.id} is ROCm {stack.series}"
    partners = sorted(
        {b.torch for b in provider.rules.builds if b.release(project) in found}, key=Version
    )
    details = (
        []
        if project == "torch"
        else [f"it was released together with torch {_span([Version(p) for p in partners])}"]
    )
    if series[0] <= NEWEST_OVERRIDE_SERIES:
        names = [
            name for name in ("rocm5.2", "rocm5.1.1") if any(f"rocm{s}" == name for s in series)
        ]
        hint = (
            f"choose the stack with --stack {names[0]}"
            if names
            else f"ask for `{_stack_pin(provider, project)}`"
        )
        return [
            Reason(
                text=built,
                details=tuple(details),
                rule="R02",
                headline=f"{asked} is no build of the stack {stack.id}",
                hint=hint,
            )
        ]
    details += _what_is_known(releases, series)
    return [
        Reason(
            text=built,
            details=tuple(details),
            rule="R07" if project == "torch" else "R02",
            headline=f"{asked} does not run on {', '.join(provider.request.gfx)} with the official wheels"
            if project == "torch"
            else f"{asked} does not belong to the stack {stack.id}",
            hint=f"ask for `{_stack_pin(provider, project)}`"
            + (
                "; or try AMD's native wheels, which nobody tests on these cards: --stack therock"
                if project == "torch"
                else ""
            ),
        )
    ]


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
    series = provider.request.stack.series
    pairs = [
        f"torch {b.torch} with torchvision {b.torchvision} and torchaudio {b.torchaudio}"
        for b in provider.rules.builds
        if series is not None and Version(b.rocm) == series
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
