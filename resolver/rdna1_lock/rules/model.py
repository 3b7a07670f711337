"""Rules, stacks and tables as frozen values, and the verdict on a candidate. Pure."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from rdna1_lock.model import rocm_label

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.utils import NormalizedName

    from rdna1_lock.rules.applications import Applications
    from rdna1_lock.rules.entry import Entry


class Severity(str, Enum):
    """How much a broken rule matters."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Evidence(str, Enum):
    """How a fact is known, strongest first."""

    READ = "read"
    REPRODUCED = "reproduced"
    REPORTED = "reported"
    INFERRED = "inferred"


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """Which candidates a rule is about; an absent part matches everything."""

    names: frozenset[str]
    specifier: SpecifierSet | None = None
    rocm: SpecifierSet | None = None

    def matches(self, name: str, version: Version) -> bool:
        """Say whether a candidate of this name and version is meant."""
        if name not in self.names:
            return False
        if self.specifier is not None and not self.specifier.contains(version, prereleases=True):
            return False
        if self.rocm is None:
            return True
        label = rocm_label(version)
        return label is not None and self.rocm.contains(label, prereleases=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDependency:
    """What a rule makes a candidate depend on.

    ``on`` is a project or a virtual package (``<python>``, ``<rocm>``, ``<gfx>``, ``<glibc>``).
    ``from_label`` takes the specifier from the candidate's own ROCm label, ``from_release``
    from the table of builds that were released together.
    """

    when: When
    on: str
    specifier: SpecifierSet | None = None
    from_label: bool = False
    from_release: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command line with the tool that runs it: ``pip``, ``uv``, ``nix``, ``docker``, ``shell``..."""

    tool: str
    line: str

    def fill(self, **values: str | tuple[str, ...]) -> Command:
        """Return the command with its ``{fields}`` filled in, quoted for a POSIX shell."""
        quoted = {
            name: shlex.quote(value) if isinstance(value, str) else shlex.join(value)
            for name, value in values.items()
        }
        return Command(tool=self.tool, line=self.line.format_map(quoted))


@dataclass(frozen=True, slots=True, kw_only=True)
class Installer:
    """How a tool installs and removes packages; ``{python}`` and ``{words}`` are to be filled in."""

    install: Command
    reinstall: Command
    uninstall: Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule with everything that is known about it; the texts are for people.

    ``commands`` are by the name of the case that they mend. ``messages`` are parts of what torch
    and HIP print where the rule is broken. What ``extras`` ask of torch counts beside torch.
    """

    id: str
    title: str
    severity: Severity
    evidence: tuple[Evidence, ...]
    date: str
    why: str
    symptom: str
    remedy: str
    sources: tuple[str, ...]
    dependencies: tuple[RuleDependency, ...] = ()
    extras: tuple[str, ...] = ()
    commands: Mapping[str, Command] = field(default_factory=dict, hash=False)
    messages: tuple[str, ...] = ()

    def command(self, name: str, **values: str | tuple[str, ...]) -> Command:
        """Return one of the commands, filled in."""
        return self.commands[name].fill(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """An environment variable that a stack sets, and what it does."""

    name: str
    value: str
    rule: str
    effect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """Bytes of the torch family of a stack: to download, and once installed; by public reports."""

    download: int
    installed: int


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A set of builds that belong together, for a set of cards (``constraints/stacks/``).

    ``offer`` says what it is to somebody whose torch another stack does not have.
    """

    id: str
    title: str
    summary: str
    experimental: bool
    evidence: tuple[Evidence, ...]
    date: str
    sources: tuple[str, ...]
    rocm: SpecifierSet
    index: str
    family: tuple[str, ...]
    gfx: tuple[str, ...]
    override: str | None
    python: SpecifierSet
    default_python: str
    platform: str
    requirements: tuple[str, ...]
    optional: tuple[str, ...]
    fetch_ahead: tuple[str, ...]
    sdist_only: tuple[str, ...]
    env: tuple[Variable, ...]
    nix_python: str
    nix_libraries: tuple[str, ...]
    disk: Disk | None = None
    offer: str | None = None

    def in_family(self, name: str) -> bool:
        """Say whether a project comes from the ROCm index and from nowhere else (R03)."""
        return any(fnmatchcase(name, pattern) for pattern in self.family)

    @cached_property
    def series(self) -> Version | None:
        """The one ROCm series of the stack, or None where several are possible."""
        for specifier in self.rocm:
            if specifier.operator == "==" and "*" not in specifier.version:
                return Version(specifier.version)
        return None

    def expand(self, requirements: tuple[str, ...], gfx: tuple[str, ...]) -> tuple[str, ...]:
        """Write the requirements out once per card where they name ``{gfx}``."""
        return tuple(
            text.replace("{gfx}", name)
            for text in requirements
            for name in (gfx if "{gfx}" in text else gfx[:1])
        )

    def presented_gfx(self, gfx: tuple[str, ...]) -> tuple[Version, ...]:
        """Return the instruction sets that the runtime sees, as versions (gfx1030 → 10.3.0)."""
        if self.override is not None:
            return (Version(self.override),)
        return tuple(gfx_version(name) for name in gfx)


def gfx_version(name: str) -> Version:
    """Write a gfx target as HSA_OVERRIDE_GFX_VERSION writes it: gfx1012 → 10.1.2."""
    digits = name.removeprefix("gfx")
    return Version(f"{int(digits[:-2])}.{int(digits[-2], 16)}.{int(digits[-1], 16)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One row of the torch x ROCm x Python table."""

    torch: str
    rocm: str
    python: tuple[str, ...]
    torchvision: str | None = None
    torchaudio: str | None = None
    triton: str | None = None

    def release(self, name: str) -> str | None:
        """Return the version of a member of the family that belongs to this build."""
        return {
            "torch": self.torch,
            "torchvision": self.torchvision,
            "torchaudio": self.torchaudio,
        }.get(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known to happen on RDNA1 cards with some builds of torch."""

    torch: SpecifierSet
    rocm: SpecifierSet
    gpus: tuple[str, ...]
    override: str | None
    works: bool
    what: str
    evidence: tuple[Evidence, ...]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CataloguedWheel:
    """A ROCm wheel with its provenance; what no source states is None."""

    filename: str
    url: str
    sha256: str | None
    requires: tuple[str, ...] | None
    requires_python: str | None
    extras: tuple[str, ...]
    gone: str | None
    evidence: tuple[Evidence, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """No rule speaks against the candidate by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A candidate that cannot be taken: which kind of reason, and the reason in words."""

    kind: str
    reason: str
    rule: str | None = None


Verdict = Allowed | Rejected
ALLOWED = Allowed()


@dataclass(frozen=True, kw_only=True)
class RuleSet:
    """All facts that are loaded, with the questions that resolution and audit ask of them.

    Builds of ``family`` carry the flavour (ROCm, CUDA, CPU) in their local label. ``facts`` are
    the entries of ``checks.toml`` by rule, for ``rules.facts`` to read. ``targets`` are the gfx
    targets that count as RDNA1. ``applications`` is what was measured beside torch.
    """

    rules: tuple[Rule, ...]
    builds: tuple[Build, ...]
    family: tuple[str, ...]
    targets: tuple[str, ...]
    applications: Applications
    installers: tuple[Installer, ...] = ()
    facts: Mapping[str, Entry] = field(default_factory=dict)

    @cached_property
    def by_id(self) -> dict[str, Rule]:
        """The rules by their id."""
        return {rule.id: rule for rule in self.rules}

    def dependency(self, rule: str, on: str) -> RuleDependency:
        """Return what a rule makes candidates depend on; the rule must have such a dependency."""
        return next(item for item in self.by_id[rule].dependencies if item.on == on)

    def is_native(self, series: Version) -> bool:
        """Say whether wheels of a ROCm series have code for RDNA1: R06 wants no override there."""
        presented = self.dependency("R06", "<gfx>").when.rocm
        return presented is not None and not presented.contains(series, prereleases=True)

    def is_faulty(self, series: Version) -> bool:
        """Say whether a ROCm series is one that fails on the override path (R07)."""
        failing = self.dependency("R07", "<rocm>").when.rocm
        return failing is not None and failing.contains(series, prereleases=True)

    @cached_property
    def override(self) -> str:
        """What the card is presented as where wheels have no code for it (R06)."""
        bound = self.dependency("R06", "<gfx>").specifier or SpecifierSet()
        return next(part.version for part in bound)

    def dependencies(
        self, name: NormalizedName, version: Version
    ) -> list[tuple[str, SpecifierSet, str]]:
        """Return what the rules make a candidate depend on: (on, specifier, rule id)."""
        found: list[tuple[str, SpecifierSet, str]] = []
        for rule in self.rules:
            for dependency in rule.dependencies:
                if not dependency.when.matches(name, version):
                    continue
                specifier = dependency.specifier
                if dependency.from_label:
                    label = rocm_label(version)
                    specifier = SpecifierSet(f"=={label}") if label else None
                elif dependency.from_release:
                    specifier = self._partner(name, version, dependency.on)
                if specifier is not None:
                    found.append((dependency.on, specifier, rule.id))
        return found

    def _partner(self, name: str, version: Version, on: str) -> SpecifierSet | None:
        releases = {
            build.release(on) for build in self.builds if build.release(name) == version.public
        }
        releases.discard(None)
        return SpecifierSet(f"=={releases.pop()}") if len(releases) == 1 else None

    def judge_flavour(self, name: str, version: Version, stack: Stack) -> Verdict:
        """Decide by rule, never by the order of labels, whether a build is for this stack."""
        if name not in self.family:
            return ALLOWED
        label = rocm_label(version)
        if label is None:
            kind = version.local or "no local label, so the default index's CUDA build"
            return Rejected(kind="flavour", reason=f"is not a ROCm build ({kind})", rule="R03")
        if not stack.rocm.contains(label, prereleases=True):
            return Rejected(
                kind="flavour",
                reason=f"is built for ROCm {label}; the stack {stack.id} has {stack.rocm}",
                rule="R02",
            )
        return ALLOWED

    def releases(self, name: str, series: Version) -> dict[str, tuple[str, ...]]:
        """Return the releases of a family member in a ROCm series, each with its Pythons."""
        found: dict[str, tuple[str, ...]] = {}
        for build in self.builds:
            release = build.release(name)
            if release is not None and Version(build.rocm) == series:
                found[release] = build.python
        return found
