"""A requirements file as a subject: what it asks for, within the bounds of its constraints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from rdna1_lock.audit.subject import Package, Subject, read_version
from rdna1_lock.index.parse import parse_direct_url
from rdna1_lock.requirements import BadLine, OptionLine, RequirementLine
from rdna1_lock.rules.finding import Place

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from packaging.version import Version

    from rdna1_lock.requirements import Line


def requirements_subject(
    path: Path,
    lines: Iterable[Line],
    *,
    conda: tuple[Package, ...] = (),
    requires_python: SpecifierSet | None = None,
) -> Subject:
    """Return the subject of a file; lines that cannot be read become notes."""
    known = list(lines)
    options = [line for line in known if isinstance(line, OptionLine)]
    asked = [line for line in known if isinstance(line, RequirementLine)]
    index = next((line.value for line in options if line.name == "--index-url"), None)
    return Subject(
        kind="file",
        label=str(path),
        packages=(*conda, *_packages(asked, index)),
        requires_python=requires_python,
        extra_indexes=_extra_indexes(options),
        notes=tuple(line.error.message for line in known if isinstance(line, BadLine)),
    )


def _extra_indexes(options: Iterable[OptionLine]) -> tuple[tuple[str, Place], ...]:
    return tuple(
        (line.value, Place(file=str(line.file), line=line.number))
        for line in options
        if line.name == "--extra-index-url"
    )


def _packages(lines: Iterable[RequirementLine], index: str | None) -> list[Package]:
    bounds: dict[str, list[RequirementLine]] = {}
    asked = []
    for line in lines:
        if line.constraint:
            bounds.setdefault(canonicalize_name(line.parsed.name), []).append(line)
        else:
            asked.append(line)
    return [
        _package([line, *bounds.get(canonicalize_name(line.parsed.name), ())], index)
        for line in asked
    ]


def _package(lines: list[RequirementLine], index: str | None) -> Package:
    """Return what a requirement, the first line, and the constraints on it ask for together."""
    first = lines[0]
    specifier = SpecifierSet()
    for line in lines:
        specifier &= line.parsed.specifier
    url = next((line.parsed.url for line in lines if line.parsed.url is not None), None)
    return Package(
        name=canonicalize_name(first.parsed.name),
        version=_version_in_url(url) if url is not None else _pinned(specifier),
        specifier=specifier,
        source=url or index,
        hashed=any(line.hashes for line in lines) or "#sha256=" in (url or ""),
        line=first.number,
        file=str(first.file),
    )


def _pinned(specifier: SpecifierSet) -> Version | None:
    pins = {part.version for part in specifier if part.operator in {"==", "==="}}
    [pin, *others] = pins or {"*"}
    return read_version(pin) if not others and "*" not in pin else None


def _version_in_url(url: str) -> Version | None:
    file = parse_direct_url(url)
    try:
        return None if isinstance(file, str) else parse_wheel_filename(file.filename)[1]
    except InvalidWheelFilename:
        return None
