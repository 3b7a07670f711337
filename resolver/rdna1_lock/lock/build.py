"""Resolution to lock."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from packaging.markers import Marker
from packaging.pylock import Package, PackageArchive, PackageWheel, Pylock
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from rdna1_lock.lock.forms import WHEELS_FOLDER
from rdna1_lock.lock.model import TOOL, Input, Inputs, Lock
from rdna1_lock.rules import rules_digest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rdna1_lock.resolution.model import Pin, Request, Resolution, UserRequirement
    from rdna1_lock.rules import RuleSet

ENVIRONMENT = "sys_platform == 'linux' and platform_machine == 'x86_64'"


def make_inputs(
    request: Request,
    rules: RuleSet,
    *,
    portable: bool,
    index: str | None,
    rocm_index: str | None = None,
    catalogue: bool = True,
    find_links: bool = False,
    recipe: str | None = None,
) -> Inputs:
    """Write down all that decides a resolution, apart from what the indexes hold.

    ``index`` counts only where URLs are locked: a portable lock names no mirror.
    """
    limit = request.exclude_newer
    return Inputs(
        requirements=_inputs(request.requirements, constraint=False),
        constraints=_inputs(request.requirements, constraint=True),
        requires_python=tuple(
            sorted(
                {
                    Input(text=str(bound.specifier), source=bound.label)
                    for bound in request.requires_python
                },
                key=lambda item: (item.text, item.source),
            )
        ),
        target=request.target,
        stack=request.stack.id,
        gfx=request.gfx,
        rules=rules_digest(rules, request.stack),
        prereleases=request.prereleases,
        exclude_newer=None if limit is None else limit.isoformat().replace("+00:00", "Z"),
        portable=portable,
        index=None if portable else index,
        rocm_index=rocm_index,
        catalogue=catalogue,
        find_links=find_links,
        allow=tuple(sorted(request.allow)),
        recipe=recipe,
    )


def facts_of(packages: Iterable[str], rules: RuleSet) -> str | None:
    """Return the digest of the facts about packages; without torch among them, none counts."""
    names = set(packages)
    return rules.applications.digest(names) if "torch" in names else None


def _inputs(items: tuple[UserRequirement, ...], *, constraint: bool) -> tuple[Input, ...]:
    found = {
        Input(text=str(item.parsed), source=item.label, hashes=tuple(sorted(item.hashes)))
        for item in items
        if item.constraint is constraint
    }
    return tuple(sorted(found, key=lambda item: (item.text, item.source, item.hashes)))


def build_lock(resolution: Resolution, request: Request, inputs: Inputs, rules: RuleSet) -> Lock:
    """Return the lock of a resolution: one wheel a package, sorted by name, no dates."""
    stack = request.stack
    pylock = Pylock(
        lock_version=Version("1.0"),
        environments=[Marker(ENVIRONMENT)],
        requires_python=SpecifierSet(f"=={request.target.python_series}.*"),
        created_by=TOOL,
        packages=[_package(pin, inputs) for pin in resolution.pins],
    )
    return Lock(
        pylock=pylock,
        inputs=replace(
            inputs, facts=facts_of((str(pin.wheel.name) for pin in resolution.pins), rules)
        ),
        env={v.name: v.value for v in stack.env} if resolution.uses_stack else {},
        nix={
            "python": f"python{request.target.python_series.replace('.', '')}",
            "libraries": list(stack.nix_libraries),
            **_glibc_bound(resolution, rules),
        },
    )


def _glibc_bound(resolution: Resolution, rules: RuleSet) -> dict[str, str]:
    """Return the first glibc that the locked wheels do not load on, by the rules (R01)."""
    bounds = [
        specifier.version
        for pin in resolution.pins
        for on, specifiers, _ in rules.dependencies(pin.wheel.name, pin.wheel.version)
        for specifier in specifiers
        if on == "<glibc>" and specifier.operator == "<"
    ]
    return {"glibc-below": min(bounds, key=Version)} if bounds else {}


def _package(pin: Pin, inputs: Inputs) -> Package:
    wheel = pin.wheel
    hashes = {"sha256": pin.sha256}
    common: dict[str, Any] = {
        "name": wheel.name,
        "version": wheel.version,
        "requires_python": pin.requires_python,
        "dependencies": [{"name": name} for name in pin.dependencies] or None,
        "tool": _tool(pin),
    }
    if wheel.source == "url":
        archive = PackageArchive(url=wheel.file.url, size=wheel.file.size, hashes=hashes)
        return Package(**common, archive=archive)
    by_path = wheel.source == "local" or (inputs.portable and wheel.source == "default")
    locked = PackageWheel(
        name=wheel.filename,
        url=None if by_path else wheel.file.url,
        path=f"{WHEELS_FOLDER}/{wheel.filename}" if by_path else None,
        size=wheel.file.size,
        hashes=hashes,
    )
    index = inputs.index if wheel.source == "default" and not by_path else None
    return Package(**common, index=index, wheels=[locked])


def _tool(pin: Pin) -> dict[str, Any] | None:
    """Return what is to be known of a package beyond PEP 751."""
    table: dict[str, Any] = {}
    if pin.wheel.source == "local":
        table["source"] = "local"
    if pin.legacy:
        table["legacy-metadata"] = True
    return {TOOL: table} if table else None
