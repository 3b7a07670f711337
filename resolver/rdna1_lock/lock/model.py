"""A lock in memory: packaging's ``Pylock`` and what ``[tool.rdna1-lock]`` says beside it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.pylock import Package, PackageArchive, PackageWheel, Pylock

TOOL = "rdna1-lock"
SCHEMA = 1
WHEELS_FOLDER = "wheels"


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One thing that the user asked for: a requirement or constraint, and where it stood."""

    requirement: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a lock was made from. Equal inputs and rules give the same lock while pins hold.

    ``gfx`` and ``stack`` are None for a lock without the torch family: nothing in it depends on
    a card. ``rules`` is the digest of what the rules decide.
    """

    requirements: tuple[Input, ...]
    constraints: tuple[Input, ...]
    python: str
    platform: str
    stack: str
    gfx: tuple[str, ...]
    rules: str
    prereleases: bool
    exclude_newer: str | None
    portable: bool
    index: str | None

    def to_toml(self) -> dict[str, Any]:
        """Return the tables of the lock file."""
        asked: dict[str, Any] = {
            "requirements": [_input_to_toml(item) for item in self.requirements]
        }
        if self.constraints:
            asked["constraints"] = [_input_to_toml(item) for item in self.constraints]
        if self.prereleases:
            asked["prereleases"] = True
        if self.exclude_newer:
            asked["exclude-newer"] = self.exclude_newer
        table: dict[str, Any] = {
            "stack": self.stack,
            "rules": self.rules,
            "portable": self.portable,
        }
        if self.index is not None:
            table["index"] = self.index
        target = {
            "python": self.python,
            "platform": self.platform,
            "glibc": self.platform.removeprefix("manylinux_")
            .removesuffix("_x86_64")
            .replace("_", "."),
            "gfx": list(self.gfx),
        }
        return {**table, "target": target, "inputs": asked}


def _input_to_toml(item: Input) -> dict[str, str]:
    return {"requirement": item.requirement, "from": item.source}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A complete lock: the packages, the inputs, the variables, the Nix attributes.

    ``edited`` says of a lock that was read that its packages are not those of its digest.
    """

    pylock: Pylock
    inputs: Inputs
    env: Mapping[str, str]
    nix: Mapping[str, Any]
    edited: bool = False

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


def packages_digest(packages: Any) -> str:
    """Hash the packages of a lock (as TOML data), so that an edited lock is noticed."""
    text = json.dumps(packages, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
