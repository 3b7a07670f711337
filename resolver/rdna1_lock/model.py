"""Values that every part shares: the target of a lock and a wheel on an index. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from packaging.tags import compatible_tags, cpython_tags
from packaging.version import InvalidVersion, Version

from rdna1_lock.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.requirements import Requirement
    from packaging.specifiers import Specifier, SpecifierSet
    from packaging.utils import NormalizedName

# PEP 600 names for glibc versions that had a name of their own before it.
_LEGACY_MANYLINUX = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
_PLATFORM = re.compile(r"manylinux_2_([0-9]{1,3})_x86_64")
OLDEST_GLIBC_MINOR = 5
NEWEST_GLIBC_MINOR = 99


@dataclass(frozen=True, kw_only=True)
class Target:
    """The one environment that a lock is for: CPython on Linux x86-64 with a glibc baseline.

    ``python`` has two or three parts. With two, the patch release counts as 0, as pip and uv
    count it: the lock must hold on every patch release.
    """

    python: Version
    glibc_minor: int

    @classmethod
    def parse(cls, python: str, platform: str) -> Target:
        """Read ``3.10`` or ``3.10.13`` and ``manylinux_2_28_x86_64``.

        Raises:
            UsageError: for anything else; the message says what is accepted.

        """
        if not re.fullmatch(r"3\.\d{1,2}(\.\d{1,3})?", python):
            raise UsageError(
                "bad-python-version",
                f"`{python}` is not a Python version that a lock can be for",
                hint="give CPython's version as X.Y or X.Y.Z, for example --python-version 3.10",
            )
        match = _PLATFORM.fullmatch(platform)
        if not match or not OLDEST_GLIBC_MINOR <= int(match[1]) <= NEWEST_GLIBC_MINOR:
            raise UsageError(
                "bad-platform",
                f"`{platform}` is not a platform that a lock can be for",
                hint=(
                    "give manylinux_2_N_x86_64, where 2.N is the oldest glibc that the lock must"
                    " run on, for example --platform manylinux_2_28_x86_64"
                ),
            )
        return cls(python=Version(python), glibc_minor=int(match[1]))

    @property
    def platform(self) -> str:
        """The platform tag of the baseline, for example ``manylinux_2_28_x86_64``."""
        return f"manylinux_2_{self.glibc_minor}_x86_64"

    @property
    def glibc(self) -> str:
        """The oldest glibc that the lock must run on, for example ``2.28``."""
        return f"2.{self.glibc_minor}"

    @property
    def python_series(self) -> str:
        """The Python version without its patch release, for example ``3.10``."""
        return f"{self.python.major}.{self.python.minor}"

    @property
    def python_full(self) -> Version:
        """The Python version that specifiers and markers are held against."""
        return Version(f"{self.python.major}.{self.python.minor}.{self.python.micro}")

    def platforms(self) -> Iterator[str]:
        """Yield the platform tags that the target accepts, best first (PEP 600)."""
        for minor in range(self.glibc_minor, OLDEST_GLIBC_MINOR - 1, -1):
            yield f"manylinux_2_{minor}_x86_64"
            if minor in _LEGACY_MANYLINUX:
                yield f"{_LEGACY_MANYLINUX[minor]}_x86_64"
        yield "linux_x86_64"

    @cached_property
    def tag_ranks(self) -> dict[str, int]:
        """Map each accepted tag, as text, to its rank; 0 is the best."""
        version = (self.python.major, self.python.minor)
        platforms = list(self.platforms())
        abi = f"cp{version[0]}{version[1]}" + ("m" if version < (3, 8) else "")
        ranks: dict[str, int] = {}
        for tag in cpython_tags(version, abis=[abi], platforms=platforms):
            ranks.setdefault(str(tag), len(ranks))
        interpreter = f"cp{version[0]}{version[1]}"
        for tag in compatible_tags(version, interpreter=interpreter, platforms=platforms):
            ranks.setdefault(str(tag), len(ranks))
        return ranks

    @cached_property
    def marker_environment(self) -> dict[str, str]:
        """The values of PEP 508's marker variables on the target."""
        return {
            "implementation_name": "cpython",
            "implementation_version": str(self.python_full),
            "os_name": "posix",
            "platform_machine": "x86_64",
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": str(self.python_full),
            "python_version": self.python_series,
            "sys_platform": "linux",
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IndexFile:
    """A file as an index page names it, not yet understood.

    ``url`` is absolute, without credentials and fragment; ``filename`` is percent-decoded.
    ``core_metadata`` is the sha256 of the METADATA file, "" when one exists without a hash,
    None when none is offered (PEP 658). ``other_hash`` is ``algorithm:digest``, where the index
    states a hash but no sha256. ``yanked`` is the reason, "" without one (PEP 592).
    """

    filename: str
    url: str
    sha256: str | None = None
    other_hash: str | None = None
    size: int | None = None
    requires_python: str | None = None
    yanked: str | None = None
    upload_time: str | None = None
    core_metadata: str | None = None
    local_path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wheel:
    """A wheel that fits the target, with what its file name says (PEP 427).

    ``rank`` is the place of its best tag among those of the target: lower is better. ``build`` is
    the build tag, ``()`` without one; the greater one wins. ``source`` is where the wheel comes
    from: ``rocm``, ``default``, ``local`` or ``url``.
    """

    name: NormalizedName
    version: Version
    rank: int
    build: tuple[()] | tuple[int, str] = ()
    file: IndexFile
    source: str

    @property
    def filename(self) -> str:
        """The file name, with its local version label in plain text."""
        return self.file.filename


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelMetadata:
    """The parts of METADATA that resolution needs, as it states them.

    ``requires_python`` is None where there is no bound, or none that can be read. ``legacy`` holds
    the requirements that are not of PEP 508 and were mended: not every installer takes such a wheel.
    """

    requires: tuple[Requirement, ...]
    legacy: tuple[str, ...] = ()
    requires_python: SpecifierSet | None = None
    extras: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """The pin of an existing lock, kept as long as it fits.

    ``filename`` and ``sha256`` are empty where only a version is known (a requirements.txt).
    """

    version: str
    filename: str
    sha256: str


def specifier_text(specifier: SpecifierSet) -> str:
    """Write bounds as people do, the lower one first: ``>=2.0,<2.1``."""

    def order(part: Specifier) -> tuple[Version, bool, str]:
        version = part.version.removesuffix(".*")
        try:
            return Version(version), part.operator.startswith("<"), str(part)
        except InvalidVersion:
            return Version("0"), False, str(part)

    return ",".join(map(str, sorted(specifier, key=order)))


def rocm_label(version: Version) -> Version | None:
    """Return the ROCm series of a local label (``1.13.1+rocm5.2`` → 5.2), else None."""
    label = version.local
    if label is None or not label.startswith("rocm"):
        return None
    try:
        return Version(label.removeprefix("rocm"))
    except InvalidVersion:
        return None
