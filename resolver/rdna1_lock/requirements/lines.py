"""What a line of a requirements file says. ``number`` counts from 1; None where it is not known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.requirements import Requirement

    from rdna1_lock.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementLine:
    """A requirement, or with ``constraint`` a bound on what is needed anyway.

    A wheel that is named by URL or path alone has its project's name in ``parsed``, and the URL.
    ``hashes`` are (algorithm, hexadecimal digest), ``credentials`` (origin, user, password).
    """

    file: Path
    number: int | None
    parsed: Requirement
    constraint: bool
    hashes: frozenset[tuple[str, str]]
    credentials: tuple[str, str, str] | None = None

    @property
    def where(self) -> str:
        """The place for people: ``sub/reqs.in:3``."""
        return place(self.file, self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionLine:
    """An option of pip; ``name`` is its long form, ``value`` empty for a flag."""

    file: Path
    number: int | None
    name: str
    value: str

    @property
    def where(self) -> str:
        """The place for people."""
        return place(self.file, self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """A line that cannot be read, or that asks for what no lock can hold; ``error`` says why."""

    file: Path
    number: int | None
    error: InputError


Line = RequirementLine | OptionLine | BadLine


def place(file: Path, number: int | None) -> str:
    """Name a line."""
    return f"{file}:{number}" if number is not None else str(file)
