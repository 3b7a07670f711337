"""What resolution works with: requirements that know where they come from, and candidates."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from packaging.requirements import Requirement as ParsedRequirement
    from packaging.utils import NormalizedName

    from rdna1_lock.model import Preference, Target, Wheel
    from rdna1_lock.resolution.standing import Standing
    from rdna1_lock.rules import Stack


class Kind(Enum):
    """Who states a requirement."""

    USER = "user"
    CONSTRAINT = "constraint"
    METADATA = "metadata"
    REQUIRES_PYTHON = "requires-python"
    RULE = "rule"
    EXTRA = "extra"
    PRESENCE = "presence"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a requirement comes from; ``text`` is how it was written there."""

    kind: Kind
    text: str
    where: str = ""
    rule: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A wheel that could be chosen, one of its extras, or a fact about the target.

    ``identifier`` is the project's name, ``name[extra]``, or a virtual package such as
    ``<python>``. Candidates are interned, so identity is equality.
    """

    identifier: str
    project: NormalizedName
    version: Version
    wheel: Wheel | None = None
    extra: NormalizedName | None = None

    def __str__(self) -> str:
        label = f"[{self.extra}]" if self.extra else ""
        return f"{self.project}{label} {self.version}"


# What ``<torch>`` is in a lock that holds no torch.
NO_TORCH = Version("0+none")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Requirement:
    """A demand on one identifier; ``exact`` ties an extra to the wheel of its project.

    ``soft``: it yields where it would leave no solution. ``without_torch``: a lock without torch
    meets it.
    """

    identifier: str
    project: NormalizedName
    origin: Origin
    specifier: SpecifierSet = field(default_factory=SpecifierSet)
    url: str | None = None
    exact: Wheel | None = None
    parent: Candidate | None = None
    soft: bool = False
    without_torch: bool = False

    def accepts(self, version: Version) -> bool:
        """Say whether a version is within the specifier; no torch is what ``without_torch`` says."""
        if version is NO_TORCH:
            return self.without_torch
        return self.specifier.contains(version, prereleases=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRequirement:
    """A requirement as the user gave it.

    ``where`` is the place for people (``sub/reqs.in:3``), ``label`` what a lock says of it: it
    names the file without its folder, so that a lock does not tell where it was made.
    """

    parsed: ParsedRequirement
    where: str
    label: str
    constraint: bool = False
    hashes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonBound:
    """The requires-python of the user's project; ``where`` and ``label`` as of a requirement."""

    specifier: SpecifierSet
    where: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Request:
    """Everything that decides a resolution, apart from what the indexes hold.

    ``allow`` has the ids of the facts that the user overrules.
    """

    requirements: tuple[UserRequirement, ...]
    target: Target
    stack: Stack
    gfx: tuple[str, ...]
    prereleases: bool = False
    exclude_newer: datetime | None = None
    requires_python: tuple[PythonBound, ...] = ()
    preferences: Mapping[str, Preference] = field(default_factory=dict)
    allow: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A chosen wheel, its hash, and the projects that it needs.

    ``legacy`` says that its metadata is from before PEP 440, so that pip refuses to install it.
    """

    wheel: Wheel
    sha256: str
    dependencies: tuple[str, ...]
    requires_python: SpecifierSet | None
    legacy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """A package that is older in the lock than on its index, since torch is in the lock.

    ``by`` are the ids of the facts, or of the rule, that refuse the newer releases; ``why`` is
    what they say of the newest. ``moved_from`` is the version that the existing lock has.
    """

    package: str
    version: str
    newest: str
    by: tuple[str, ...]
    why: str
    moved_from: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmeasured:
    """A package whose locked version was not run beside torch; ``newest`` is what was run."""

    package: str
    version: str
    newest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """The answer: one wheel a project, sorted by name. ``notes`` are remarks for the user.

    ``direct`` are the projects that the user asked for, ``standings`` those with newer releases.
    """

    pins: tuple[Pin, ...]
    uses_stack: bool
    direct: frozenset[str] = frozenset()
    standings: tuple[Standing, ...] = ()
    notes: tuple[str, ...] = ()
    held_back: tuple[HeldBack, ...] = ()
    unmeasured: tuple[Unmeasured, ...] = ()
