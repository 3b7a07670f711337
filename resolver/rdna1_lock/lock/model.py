"""A lock in memory: packaging's ``Pylock`` and what ``[tool.rdna1-lock]`` adds to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.pylock import Package, PackageArchive, PackageWheel, Pylock

    from rdna1_lock.model import Target

TOOL = "rdna1-lock"
SCHEMA = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One thing that the user asked for, as text, and where it stood.

    A requirement, a constraint, or a bound on Python. ``hashes`` are ``algorithm:digest``, those
    that the user allows.
    """

    text: str
    source: str
    hashes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a lock was made from. Equal inputs and rules give the same lock while pins hold.

    ``rules`` is the digest of what the rules decide, ``facts`` of what the facts about the locked
    packages do; it is None where there are none. ``allow`` has the facts that are overruled. ``index`` and ``rocm_index`` have no
    credentials and are None where the default served; ``catalogue`` and ``find_links`` say which
    other places were asked.
    """

    requirements: tuple[Input, ...]
    constraints: tuple[Input, ...] = ()
    requires_python: tuple[Input, ...] = ()
    target: Target
    stack: str
    gfx: tuple[str, ...]
    rules: str
    prereleases: bool = False
    exclude_newer: str | None = None
    portable: bool = False
    index: str | None = None
    rocm_index: str | None = None
    catalogue: bool = True
    find_links: bool = False
    facts: str | None = None
    allow: tuple[str, ...] = ()
    recipe: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A complete lock: the packages, the inputs, the variables, the Nix attributes.

    ``schema`` is that of the file it was read from. ``edited`` names the parts of such a file that
    are not those of its digests.
    """

    pylock: Pylock
    inputs: Inputs
    env: Mapping[str, str]
    nix: Mapping[str, Any]
    schema: int = SCHEMA
    edited: tuple[str, ...] = ()

    @property
    def packages(self) -> tuple[Package, ...]:
        """The packages, sorted by name."""
        return tuple(self.pylock.packages)


def locked_file(package: Package) -> PackageWheel | PackageArchive:
    """Return the one wheel of a locked package."""
    if package.wheels:
        return package.wheels[0]
    if package.archive is None:
        raise AssertionError(package.name)
    return package.archive


def is_own(package: Package) -> bool:
    """Say whether a wheel is somebody's own: no index has it."""
    return bool(_ours(package).get("source") == "local")


def has_legacy_metadata(package: Package) -> bool:
    """Say whether a wheel's metadata is from before PEP 440, so that pip refuses to install it."""
    return _ours(package).get("legacy-metadata") is True


def _ours(package: Package) -> Mapping[str, Any]:
    table: Mapping[str, Any] = (package.tool or {}).get(TOOL, {})
    return table
