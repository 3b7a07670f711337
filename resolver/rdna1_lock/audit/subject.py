"""What is audited, in one form: an environment on disk, or what a file asks for. No judgement."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from rdna1_lock import pep508
from rdna1_lock.model import rocm_label
from rdna1_lock.rules.finding import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.utils import NormalizedName
    from packaging.version import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One distribution: installed, pinned, or asked for.

    ``version`` is None where none is fixed, and ``specifier`` then says what is allowed.
    ``source`` is the URL of the file or index where the file says so. ``line`` counts from 1, in
    ``file`` where that is not the subject itself. ``path`` is the metadata folder of an installed
    one, ``place`` the folder around it; ``installer`` is the tool that installed it, None for most
    packages of a distribution.
    """

    name: NormalizedName
    version: Version | None
    specifier: SpecifierSet = field(default_factory=SpecifierSet)
    source: str | None = None
    hashed: bool = True
    line: int | None = None
    file: str | None = None
    requires: tuple[str, ...] = ()
    path: str | None = None
    place: str | None = None
    raw_version: str | None = None
    installer: str | None = None

    @property
    def rocm(self) -> Version | None:
        """The ROCm series of the local label, if it has one."""
        return rocm_label(self.version) if self.version is not None else None

    @property
    def label(self) -> str:
        """The local version label, empty if there is none."""
        return (self.version.local if self.version is not None else None) or ""

    @property
    def text(self) -> str:
        """Name and version as people write them."""
        if self.version is not None or self.raw_version is not None:
            return f"{self.name} {self.version or self.raw_version}"
        return f"{self.name}{self.specifier or ' (any version)'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchFiles:
    """What the installed torch is by its own files; None and empty where they do not say.

    ``hip`` and ``cuda`` come from torch/version.py, ``gfx`` are the targets in rocBLAS' library
    folder, ``stack`` the libraries that ask for an executable stack, ``loader`` is ``RPATH`` or
    ``RUNPATH``, ``vision_needs`` are the libraries that torchvision's extension is linked with.
    """

    hip: str | None
    cuda: str | None
    gfx: frozenset[str]
    stack: tuple[str, ...]
    loader: str | None
    vision_needs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """An environment or file; ``label`` is how it was named.

    ``python`` is the interpreter's version, ``requires_python`` what a file allows.
    ``variables`` are those that Python started now would have, ``activation`` those that the
    environment's own activation sets. ``extra_indexes`` are (URL, place).
    """

    kind: str
    label: str
    packages: tuple[Package, ...]
    python: Version | None = None
    requires_python: SpecifierSet | None = None
    libc: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    activation: Mapping[str, str] = field(default_factory=dict)
    torch_files: TorchFiles | None = None
    changed: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    extra_indexes: tuple[tuple[str, Place], ...] = ()
    notes: tuple[str, ...] = ()
    interpreter: str | None = None

    @property
    def installed(self) -> bool:
        """Whether it is an environment on disk."""
        return self.kind == "environment"

    def all_of(self, name: str) -> tuple[Package, ...]:
        """Return every package of a name: forks and copies give several."""
        return tuple(self._by_name.get(name, ()))

    @cached_property
    def _by_name(self) -> dict[str, list[Package]]:
        found: dict[str, list[Package]] = {}
        for package in self.packages:
            found.setdefault(str(package.name), []).append(package)
        return found

    def first(self, name: str) -> Package | None:
        """Return the package that Python finds, or the first that the file names."""
        return next(iter(self.all_of(name)), None)

    def pinned(self, name: str) -> tuple[Package, Version] | None:
        """Return the first package of a name with its version, if it has one."""
        package = self.first(name)
        if package is None or package.version is None:
            return None
        return package, package.version

    def place(self, package: Package | None = None) -> Place:
        """Name where a package stands: file and line, or the environment."""
        name = str(package.name) if package is not None else None
        if self.installed:
            return Place(path=self.label, package=name)
        if package is None:
            return Place(file=self.label)
        return Place(file=package.file or self.label, line=package.line, package=name)

    def is_rocm(self, package: Package) -> bool:
        """Say whether a member of the family is built for ROCm, by its label or torch's own files."""
        files = self.torch_files
        if package.name == "torch" and files is not None and (files.hip or files.cuda):
            # A label can be wrong; torch/version.py is what the build wrote.
            return bool(files.hip)
        return package.rocm is not None

    @property
    def rocm(self) -> Version | None:
        """The ROCm series of torch, by its label or by its own files."""
        torch = self.first("torch")
        if torch is not None and torch.rocm is not None:
            return torch.rocm
        if torch is not None and self.torch_files is not None and self.torch_files.hip:
            return read_version(".".join(self.torch_files.hip.split(".")[:2]))
        return None


def read_version(text: str | None) -> Version | None:
    """Read a version; None if it is missing or not valid (PEP 440)."""
    try:
        return pep508.read_version(text) if text else None
    except ValueError:
        return None
