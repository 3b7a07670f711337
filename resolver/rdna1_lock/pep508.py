"""Requirements, markers and bounds from outside: what is read here can be evaluated later.

packaging reads more than it can work with. A version is compared long after it was read, and int()
refuses more than 4300 digits; a marker may compare what has no order, or name a variable that only
lock files have; and a nested marker may be deeper than the interpreter's stack. All of these are
refused here, as a ValueError, so that no later step can meet them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

if TYPE_CHECKING:
    from packaging.markers import Marker

# Below int()'s bound, and above the longest requirement of any known release.
LONGEST = 4096
DEEPEST = 50
# Whether a marker can be evaluated depends on the kind of a value, not on the value.
_VALUES = {
    "implementation_name": "cpython",
    "implementation_version": "3.10.0",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "",
    "platform_system": "Linux",
    "platform_version": "",
    "python_full_version": "3.10.0",
    "python_version": "3.10",
    "sys_platform": "linux",
}


def read_pep508(text: str) -> Requirement:
    """Read a requirement.

    Raises:
        ValueError: it is none, or none that can be evaluated.

    """
    _check_size(text)
    parsed = Requirement(text)
    # A host name or an extra may hold what has no bytes.
    str(parsed).encode()
    if parsed.marker is not None:
        _check_marker(parsed.marker)
    return parsed


def read_specifiers(text: str) -> SpecifierSet:
    """Read a bound on versions.

    Raises:
        ValueError: it is none.

    """
    _check_size(text)
    return SpecifierSet(text)


def read_version(text: str) -> Version:
    """Read a version.

    Raises:
        ValueError: it is none.

    """
    _check_size(text)
    return Version(text)


def _check_size(text: str) -> None:
    if len(text) > LONGEST:
        raise ValueError(f"it has {len(text)} characters")
    if text.count("(") > DEEPEST:
        raise ValueError("it is nested too deeply")


def _check_marker(marker: Marker) -> None:
    for extra in ("", "any"):
        try:
            marker.evaluate({**_VALUES, "extra": extra})
        except KeyError as error:
            raise ValueError(f"its marker has no variable {error}") from error
