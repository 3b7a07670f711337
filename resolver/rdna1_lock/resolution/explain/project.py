"""What there is of a project, and why none of it can be taken."""

from __future__ import annotations

import difflib
from collections import Counter
from typing import TYPE_CHECKING

from packaging.utils import parse_wheel_filename

from rdna1_lock.model import specifier_text
from rdna1_lock.resolution.explain.reason import Reason, combined, wheel_command
from rdna1_lock.resolution.finder import Found, Refusal, sdist_versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from rdna1_lock.resolution.model import Requirement
    from rdna1_lock.resolution.provider import Provider


def supply_reasons(provider: Provider, project: str, wanted: Sequence[Requirement]) -> list[Reason]:
    """Say why no wheel of a project meets what is asked of it, as far as one project explains it."""
    name = wanted[0].project
    found = provider.finder.find(name)
    if not found.exists:
        return [
            Reason(
                text=f"there is no project `{project}` on the default index",
                headline=f"there is no project `{project}`",
                hint=(
                    f"{_did_you_mean(provider, project)}name another index with --index-url; a wheel"
                    " of your own is found with --find-links DIR"
                ),
            )
        ]
    specifier = combined(wanted)
    fitting = [
        wheel.version
        for wheel in found.wheels
        if specifier.contains(wheel.version, prereleases=True)
    ]
    if fitting:
        return _withheld(project, found, specifier)
    return _unfit(provider, project, found, specifier, wanted)


def _did_you_mean(provider: Provider, project: str) -> str:
    """Return the name that was probably meant, of those that this run and its stack know."""
    stack = provider.request.stack
    known = {*stack.family, *stack.fetch_ahead, *provider.request.preferences}
    known |= {str(item.project) for item in provider.demands.roots()} - {project}
    close = difflib.get_close_matches(project, sorted(known), n=1, cutoff=0.75)
    return f"did you mean `{close[0]}`? Or " if close else "check the spelling, or "


def _withheld(project: str, found: Found, specifier: SpecifierSet) -> list[Reason]:
    """Explain releases that exist and fit but are not taken unasked, since they were yanked."""
    inside = [w for w in found.wheels if specifier.contains(w.version, prereleases=True)]
    yanked = [w for w in inside if w.file.yanked is not None]
    if len(yanked) == len(inside):
        reason = yanked[0].file.yanked
        return [
            Reason(
                text=f"{project} {_some(w.version for w in yanked)} was yanked"
                + (f": {reason}" if reason else ""),
                headline=f"every fitting release of `{project}` was yanked",
                hint=f"to take it all the same, name it exactly: {project}=={yanked[0].version}",
            )
        ]
    return []


def _unfit(
    provider: Provider,
    project: str,
    found: Found,
    specifier: SpecifierSet,
    wanted: Sequence[Requirement],
) -> list[Reason]:
    inside = [
        (v, r)
        for r in found.refused
        if (v := _version_of(r)) and specifier.contains(v, prereleases=True)
    ]
    sdists = [
        v for v in sdist_versions(project, found.sdists) if specifier.contains(v, prereleases=True)
    ]
    label = f"{project}{specifier_text(specifier)}"
    if inside:
        return [_refused(provider, project, label, inside, sdists)]
    if sdists:
        return [
            Reason(
                text=f"{project} has source distributions only ({_some(_stable(sdists))}), and only wheels are locked",
                headline=f"`{label}` has no wheel",
                hint=_build_it(project, _stable(sdists)[0]),
            )
        ]
    if found.too_new and not found.wheels and not found.refused:
        return [
            Reason(
                text=f"all {found.too_new} files of {project} are newer than --exclude-newer",
                headline=f"`{project}` has no release that is old enough",
                hint="choose a later --exclude-newer",
            )
        ]
    if not found.wheels and not found.refused and not found.sdists:
        return [
            Reason(
                text=f"the page of `{project}` names no file", headline=f"`{project}` has no files"
            )
        ]
    alone = [item for item in wanted if not _any(found, item.specifier)]
    newest = _some([wheel.version for wheel in found.wheels], most=3)
    if alone:
        text = f"no release of {project} is {specifier_text(alone[0].specifier)}"
        more = f"; there is {newest}" if newest else ""
        return [
            Reason(
                text=text + more,
                headline=f"there is no release {alone[0].origin.text}"
                if alone[0].origin.text.startswith(project)
                else None,
            )
        ]
    return []


def _refused(
    provider: Provider,
    project: str,
    label: str,
    inside: list[tuple[Version, Refusal]],
    sdists: list[Version],
) -> Reason:
    kinds = Counter(refusal.verdict.kind for _, refusal in inside)
    details = []
    hint = None
    if kinds["python"]:
        newest, refusal = max(
            (pair for pair in inside if pair[1].verdict.kind == "python"), key=lambda pair: pair[0]
        )
        details.append(f"{project} {newest} needs Python {refusal.verdict.reason}")
        hint = f"take an older {project}, or another Python with --python-version"
    if kinds["tags"]:
        tagged = [pair for pair in inside if pair[1].verdict.kind == "tags"]
        newest = max(version for version, _ in tagged)
        tags = sorted({_short_tag(r.verdict.reason) for v, r in tagged if v == newest})
        tags = [tag for tag in tags if "linux" in tag and "x86_64" in tag] or tags
        details.append(f"{project} {newest} has wheels for {', '.join(tags[:12])}")
        hint = hint or (
            _build_it(project, sdists[0])
            if sdists
            else f"take another {project}, or another target with --python-version or --platform"
        )
    return Reason(
        text=f"no wheel of {label} fits {target_words(provider)}",
        details=tuple(details),
        headline=f"`{label}` has no wheel for {target_words(provider)}",
        hint=hint,
    )


def target_words(provider: Provider) -> str:
    """Name the interpreter and platform that the lock is for."""
    target = provider.request.target
    return f"CPython {target.python_series} on {target.platform}"


def _short_tag(reason: str) -> str:
    python, abi, platform = reason.split("-", 2)
    return f"{python}-{abi}-{platform.split('.')[0]}"


def _build_it(project: str, version: Version) -> str:
    command = wheel_command(project, version)
    return f"build the wheel once, `{command}`, and resolve with `--find-links wheels`"


def _version_of(refusal: Refusal) -> Version | None:
    try:
        return parse_wheel_filename(refusal.filename)[1]
    except ValueError:
        return None


def _any(found: Found, specifier: SpecifierSet) -> bool:
    return any(specifier.contains(wheel.version, prereleases=True) for wheel in found.wheels)


def _stable(versions: list[Version]) -> list[Version]:
    return [version for version in versions if not version.is_prerelease] or versions


def _some(versions: Iterable[Version], *, most: int = 5) -> str:
    texts = [str(version) for version in versions]
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more
