"""Requirements and bounds from before PEP 440 was enforced, read as people meant them.

Wheels that the classic programs for these cards pin say ``numpy (>=1.19.*)`` or ``>=3.6.*``, which
PEP 440 does not allow: ".*" goes with "==" and "!=" alone. pip from 24.1 on refuses to install
them, uv reads them leniently, and so does this.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rdna1_lock.pep508 import LONGEST, read_pep508, read_specifiers

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

# Each mends one way of writing; they are tried in turn until the text can be read.
_MENDS: tuple[tuple[re.Pattern[str], str], ...] = (
    # >=1.19.* and <3.4.*: the wildcard adds nothing to an ordered comparison.
    (re.compile(r"(<=|>=|~=|<|>)(\s*\d+(?:\.\d+)*)\.\*"), r"\1\2"),
    # >=7.2.0<8.0.0 and >=1.0 <2: the comma was left out.
    (re.compile(r"(\d)\s*([<>=~!]=?)(?=\s*\d)"), r"\1,\2"),
    # !=~5.0
    (re.compile(r"!=~(?=\s*\d)"), "!="),
    # !=3.0*
    (re.compile(r"(\d)\*"), r"\1.*"),
    # >=3.6,
    (re.compile(r",\s*(?=\)|;|$)"), ""),
    # >dev: later than everything that is only under development.
    (re.compile(r">\s*dev\b"), ">0.0.0.dev0"),
    # >='1.0': quotes around a version, before any marker.
    (re.compile(r"^([^;]*?)[\"'](\s*[\d.*]+)[\"']"), r"\1\2"),
)


def read_requirement(text: str) -> tuple[Requirement, bool]:
    """Read a requirement of METADATA; the second value says whether it had to be mended.

    Raises:
        ValueError: no reading makes sense of it.

    """
    if len(text) > LONGEST:
        raise ValueError("it is too long")
    try:
        return read_pep508(text), False
    except ValueError as error:
        first = error
    for mended in _mended(text):
        try:
            return read_pep508(mended), True
        except ValueError:
            continue
    raise first


def read_specifier(text: str | None) -> SpecifierSet | None:
    """Read a Requires-Python bound; None where there is none, or none that can be read.

    pip and uv take a bound that cannot be read for none: "it is ignored".
    """
    if not text or len(text) > LONGEST:
        return None
    for candidate in (text, *_mended(text)):
        try:
            return read_specifiers(candidate)
        except ValueError:
            continue
    return None


def _mended(text: str) -> list[str]:
    found = []
    for pattern, replacement in _MENDS:
        mended = pattern.sub(replacement, text)
        if mended != text:
            text = mended
            found.append(text)
    return found
