"""What the checks of an audit look at, gathered before any of them runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.specifiers import SpecifierSet

    from rdna1_lock.audit.subject import Subject
    from rdna1_lock.guard.outcome import Record
    from rdna1_lock.host.system import Host
    from rdna1_lock.install.verify import Difference
    from rdna1_lock.lock.model import Lock
    from rdna1_lock.rules import Known, RuleSet, Stack


@dataclass(frozen=True, kw_only=True)
class Against:
    """A lock to compare with; ``files`` are what differs from its wheels, where those are here."""

    lock: Lock
    name: str
    files: tuple[Difference, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Observed:
    """An environment or a file, with what is known about it.

    ``stack`` is the one that remedies name. ``started`` is how torch ran, where it was started.
    """

    subject: Subject
    rules: RuleSet
    stack: Stack
    known: tuple[Known, ...] = ()
    host: Host | None = None
    against: Against | None = None
    started: Record | None = None

    def bound(self, rule: str) -> SpecifierSet | None:
        """Return what a rule demands for this torch, as ``resolve`` would; None if nothing."""
        found = self.subject.pinned("torch")
        if found is None:
            return None
        torch, version = found
        rocm = self.subject.rocm
        if torch.rocm is None and rocm is not None:
            version = Version(f"{version.public}+rocm{rocm}")
        for _, specifier, identifier in self.rules.dependencies(torch.name, version):
            if identifier == rule:
                return specifier
        return None

    @property
    def has_native_code(self) -> bool:
        """Whether rocBLAS of the installed torch has kernels for an RDNA1 target."""
        files = self.subject.torch_files
        return files is not None and bool(files.gfx & set(self.rules.targets))


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine; ``rocm`` is the series that is to run on it, with ``variables`` set.

    Without a series, rules that depend on one are held as for the default stack, and R18 is not.
    """

    host: Host
    rules: RuleSet
    variables: Mapping[str, str] = field(default_factory=dict)
    rocm: Version | None = None
