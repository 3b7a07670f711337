"""Where a locked release stands: whether there is a newer one, and what holds it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.version import Version

from rdna1_lock.resolution.finder import sdist_versions
from rdna1_lock.resolution.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rdna1_lock.model import Wheel
    from rdna1_lock.resolution.finder import Found
    from rdna1_lock.resolution.model import Candidate, Requirement
    from rdna1_lock.resolution.provider import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """What holds a release back: in words, and by which rule.

    ``build`` is the release whose wheel would have to be built; ``kept`` says that only the pin of
    the existing lock does, ``python`` that it needs another Python than the lock's.
    """

    text: str
    rule: str | None = None
    build: Version | None = None
    kept: bool = False
    python: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A locked release that is not the newest, and why.

    ``newest`` is the newest stable release that the index has, with or without a wheel for the
    target, within ``--exclude-newer``.
    """

    name: str
    locked: Version
    newest: Version
    why: Why


def standings(
    provider: Provider, chosen: Sequence[Candidate], wheels: Iterable[Wheel]
) -> tuple[Standing, ...]:
    """Return the locked projects of the default index that have newer releases, by name."""
    edges = _edges(provider, chosen)
    pins = {str(one.project): one for one in chosen if one.wheel is not None and one.extra is None}
    found = []
    for wheel in wheels:
        if wheel.source == "default" and wheel.name in pins:
            standing = _standing(provider, pins[wheel.name], edges, pins)
            if standing is not None:
                found.append(standing)
    return tuple(sorted(found, key=lambda one: one.name))


def _edges(provider: Provider, chosen: Sequence[Candidate]) -> dict[str, list[Requirement]]:
    """Return what the user and the chosen candidates demand, by project."""
    found: dict[str, list[Requirement]] = {}
    demands = [item for one in chosen for item in provider.get_dependencies(one)]
    for item in [*provider.demands.roots(), *demands]:
        if item.parent is not None and item.parent.project == item.project:
            continue  # an extra is of its project's own version
        found.setdefault(str(item.project), []).append(item)
    return found


def _standing(
    provider: Provider,
    pin: Candidate,
    edges: dict[str, list[Requirement]],
    pins: dict[str, Candidate],
) -> Standing | None:
    name, locked = str(pin.project), pin.version
    found = provider.finder.seen(pin.project)
    newest = max(_releases(name, found), default=locked)
    if newest <= locked:
        return None
    why = _why(provider, pin, newest, edges.get(name, ()), pins)
    return Standing(name=name, locked=locked, newest=newest, why=why)


def _why(
    provider: Provider,
    pin: Candidate,
    newest: Version,
    demands: Sequence[Requirement],
    pins: dict[str, Candidate],
) -> Why:
    # A demand that the newest release does not meet says most; of several, the tightest.
    unmet = [one for one in demands if not _meets(one, newest)]
    if unmet:
        found = provider.finder.seen(pin.project)
        newer = {one for one in _releases(str(pin.project), found) if one > pin.version}
        bound = min(
            unmet,
            key=lambda one: (sum(_meets(one, v) for v in newer), one.origin.rule is None),
        )
        return Why(text=_who(bound), rule=bound.origin.rule)
    preference = provider.request.preferences.get(pin.project)
    if preference is not None and preference.version == str(pin.version):
        return Why(text="the existing lock has it", kept=True)
    found = provider.finder.seen(pin.project)
    if not any(wheel.version == newest for wheel in found.wheels):
        return _without_wheel(str(pin.project), newest, found)
    return _does_not_fit(provider, pin, newest, pins)


def _releases(name: str, found: Found) -> Iterator[Version]:
    """Yield the stable releases that there are: with a wheel for the target, another one, or none."""
    yield from (
        wheel.version
        for wheel in found.wheels
        if wheel.file.yanked is None and not wheel.version.is_prerelease
    )
    # Thousands of files have few versions among them.
    texts = {
        refusal.filename.split("-")[1]
        for refusal in found.refused
        if refusal.verdict.kind in {"python", "tags"} and refusal.filename.count("-") >= 4
    }
    for text in texts:
        try:
            version = Version(text)
        except ValueError:
            continue
        if not version.is_prerelease:
            yield version
    yield from (
        version for version in sdist_versions(name, found.sdists) if not version.is_prerelease
    )


def _meets(item: Requirement, version: Version) -> bool:
    return item.url is None and item.specifier.contains(version, prereleases=True)


def _who(item: Requirement) -> str:
    origin = item.origin
    if origin.kind is Kind.USER:
        return f"you ask for {origin.text}"
    if origin.kind is Kind.CONSTRAINT:
        return f"a constraint says {origin.text}"
    parent = item.parent
    who = f"{parent.project} {parent.version}" if parent is not None else "the lock"
    rule = f" ({origin.rule})" if origin.rule else ""
    return f"{who} needs {origin.text}{rule}"


def _without_wheel(name: str, newest: Version, found: Found) -> Why:
    """Say why there is no wheel of the newest release for the target."""
    for refusal in found.refused:
        if refusal.verdict.kind == "python" and refusal.filename.split("-")[1:2] == [str(newest)]:
            return Why(text=f"it needs Python {refusal.verdict.reason}", python=True)
    if newest in sdist_versions(name, found.sdists):
        text = "it has no wheel for this target, only a source distribution"
        return Why(text=text, build=newest)
    return Why(text="it has no wheel for this target")


def _does_not_fit(
    provider: Provider, pin: Candidate, newest: Version, pins: dict[str, Candidate]
) -> Why:
    """Say which demand of the newest release the rest of the lock does not meet, as far as known."""
    for item in provider.demands_of(pin.project, newest):
        if item.origin.kind is Kind.BROKEN:
            return Why(text=item.origin.text)
        text, rule = f"it needs {item.origin.text}", item.origin.rule
        if item.project.startswith("<"):
            if not provider.offered(item.identifier, [item]):
                return Why(text=text, rule=rule)
            continue
        other = pins.get(str(item.project))
        if other is not None and not provider.is_satisfied_by(item, other):
            return Why(text=f"{text}; {other} is locked", rule=rule)
        if other is None and not provider.matching(item.project, [item]):
            return Why(text=f"{text}, which has no wheel for this target")
    return Why(text="it does not go together with the rest")
