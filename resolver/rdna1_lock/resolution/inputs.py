"""What the user asks for: requirement strings, requirements files, pyproject.toml.

Options that would open a way around the rules are refused by name instead of being passed over.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from packaging.dependency_groups import resolve_dependency_groups
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from rdna1_lock import toml
from rdna1_lock.errors import InputError, one_line
from rdna1_lock.requirements import (
    BadLine,
    OptionLine,
    RequirementLine,
    read_requirement,
    read_requirements,
    read_text,
)
from rdna1_lock.resolution.model import PythonBound, UserRequirement

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from packaging.utils import NormalizedName


@dataclass
class UserInput:
    """All that the files and the command line ask for."""

    requirements: list[UserRequirement] = field(default_factory=list)
    requires_python: list[PythonBound] = field(default_factory=list)
    index_url: str | None = None
    extra_index_urls: list[tuple[str, str]] = field(default_factory=list)
    find_links: list[Path] = field(default_factory=list)
    prereleases: bool = False


def parse_requirement(
    text: str, where: str, *, label: str, folder: Path | None = None
) -> UserRequirement:
    """Read one requirement (PEP 508), a URL of a wheel, or the path of one.

    Raises:
        InputError: for a requirement that stands in a file.
        UsageError: for one on the command line (``folder`` is None).

    """
    parsed = read_requirement(text, where, folder=folder)
    return UserRequirement(parsed=parsed, where=where, label=label)


def read_file(
    path: Path,
    into: UserInput,
    *,
    extras: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
    environ: Mapping[str, str] | None = None,
) -> None:
    """Add what a requirements file or a ``pyproject.toml`` asks for."""
    if path.name == "pyproject.toml" or path.suffix == ".toml":
        _read_pyproject(path, into, extras, groups)
    else:
        _read_requirements(path, into, constraint=False, environ=environ)


def read_constraints(
    path: Path, into: UserInput, *, environ: Mapping[str, str] | None = None
) -> None:
    """Add the bounds of a constraints file; they count only for what is needed anyway."""
    _read_requirements(path, into, constraint=True, environ=environ)


def _read_requirements(
    path: Path, into: UserInput, *, constraint: bool, environ: Mapping[str, str] | None
) -> None:
    surroundings = os.environ if environ is None else environ
    for line in read_requirements(path, surroundings, constraint=constraint):
        if isinstance(line, BadLine):
            raise line.error
        if isinstance(line, OptionLine):
            _option(line, into)
        else:
            into.requirements.append(_asked(line))


def _asked(line: RequirementLine) -> UserRequirement:
    return UserRequirement(
        parsed=line.parsed,
        where=line.where,
        label=f"{'-c' if line.constraint else '-r'} {line.file.name}",
        constraint=line.constraint,
        hashes=frozenset(value for algorithm, value in line.hashes if algorithm == "sha256"),
    )


def _option(line: OptionLine, into: UserInput) -> None:
    if line.name == "--index-url":
        into.index_url = into.index_url or line.value
    elif line.name == "--extra-index-url":
        into.extra_index_urls.append((line.value, line.where))
    elif line.name == "--find-links":
        folder = line.file.parent / line.value.removeprefix("file://")
        if not folder.is_dir():
            raise InputError("no-folder", f"{line.where}: there is no folder {folder}")
        into.find_links.append(folder)
    elif line.name == "--pre":
        into.prereleases = True


def _read_pyproject(
    path: Path, into: UserInput, extras: tuple[str, ...], groups: tuple[str, ...]
) -> None:
    text = read_text(path)
    try:
        data = toml.loads(text)
    except toml.TOMLDecodeError as error:
        raise InputError("bad-file", f"{path}: {one_line(error)}") from error
    project = data.get("project", {} if groups else None)
    if not isinstance(project, dict):
        raise InputError("bad-file", f"{path} has no table [project]")
    if "dependencies" in project.get("dynamic", ()):
        raise InputError(
            "dynamic-dependencies",
            f"{path}: the dependencies are dynamic, so only its build backend knows them",
            hint="write them into a requirements file",
        )
    label = f"-r {path.name}"
    optional = {
        canonicalize_name(key): value
        for key, value in project.get("optional-dependencies", {}).items()
    }
    texts = [(f"{path}: project.dependencies", item) for item in project.get("dependencies", ())]
    texts += _extras(path, canonicalize_name(str(project.get("name", ""))), optional, extras)
    texts += _groups(path, data.get("dependency-groups", {}), groups)
    for where, item in texts:
        if not isinstance(item, str):
            raise InputError("bad-file", f"{where}: {item!r} is not a string")
        into.requirements.append(parse_requirement(item, where, label=label, folder=path.parent))
    _requires_python(path, project, into)


def _groups(path: Path, table: Any, groups: tuple[str, ...]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for group in groups:
        try:
            names = resolve_dependency_groups(table, group)
        except Exception as error:  # packaging raises an ExceptionGroup of its own
            raise InputError(
                "bad-group", f"{path}: dependency group `{group}`: {one_line(error)}"
            ) from error
        found += [(f"{path}: group {group}", name) for name in names]
    return found


def _extras(
    path: Path, name: str, optional: dict[Any, Any], extras: tuple[str, ...]
) -> list[tuple[str, Any]]:
    """Return the requirements of extras; one that names the project again opens more extras."""
    found: list[tuple[str, Any]] = []
    todo, seen = [canonicalize_name(extra) for extra in extras], set()
    while todo:
        extra = todo.pop(0)
        if extra in seen:
            continue
        seen.add(extra)
        if extra not in optional:
            raise InputError(
                "no-extra",
                f"{path} has no extra `{extra}`",
                hint=f"it has: {', '.join(sorted(optional)) or 'none'}",
            )
        for item in optional[extra]:
            more = _extras_of_itself(item, name)
            todo += more
            if not more:
                found.append((f"{path}: extra {extra}", item))
    return found


def _extras_of_itself(item: Any, name: str) -> list[NormalizedName]:
    """Return the extras that a requirement opens of the project that it stands in."""
    match = (
        re.match(r"\s*([A-Za-z0-9._-]+)\s*\[([^\]]*)\]", item) if isinstance(item, str) else None
    )
    if match is None or canonicalize_name(match[1]) != name:
        return []
    return [canonicalize_name(part) for part in match[2].split(",")]


def _requires_python(path: Path, project: dict[str, Any], into: UserInput) -> None:
    value = project.get("requires-python")
    if value is None:
        return
    try:
        bound = SpecifierSet(value)
    except (InvalidSpecifier, AttributeError, TypeError) as error:
        raise InputError("bad-file", f"{path}: requires-python: {one_line(error)}") from error
    where, label = f"{path}: project.requires-python", f"-r {path.name}"
    into.requires_python.append(PythonBound(specifier=bound, where=where, label=label))
