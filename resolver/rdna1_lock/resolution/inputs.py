"""What the user asks for: requirement strings, requirements files, pyproject.toml.

Options that would open a way around the rules are refused by name instead of being passed over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from rdna1_lock import toml
from rdna1_lock.errors import InputError, one_line
from rdna1_lock.pep508 import read_specifiers
from rdna1_lock.requirements import (
    BadLine,
    OptionLine,
    RequirementLine,
    read_requirement,
    read_requirements,
    read_text,
)
from rdna1_lock.requirements.groups import read_group
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
    credentials: dict[str, tuple[str, str]] = field(default_factory=dict)

    def add(
        self,
        text: str,
        where: str,
        *,
        label: str,
        folder: Path | None = None,
        constraint: bool = False,
    ) -> None:
        """Add one requirement (PEP 508), a URL of a wheel, or the path of one.

        Raises:
            InputError: for a requirement that stands in a file.
            UsageError: for one on the command line (``folder`` is None).

        """
        asked = read_requirement(text, where, folder=folder)
        self.learn(asked.credentials)
        self.requirements.append(
            UserRequirement(parsed=asked.parsed, where=where, label=label, constraint=constraint)
        )

    def learn(self, credentials: tuple[str, str, str] | None) -> None:
        """Keep the credentials of a URL for its origin: to be used, never to be written."""
        if credentials is not None:
            origin, user, password = credentials
            self.credentials[origin] = (user, password)


def read_file(
    path: Path,
    into: UserInput,
    *,
    extras: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
    environ: Mapping[str, str],
) -> None:
    """Add what a requirements file or a ``pyproject.toml`` asks for."""
    if path.name == "pyproject.toml" or path.suffix == ".toml":
        _read_pyproject(path, into, extras, groups)
    else:
        _read_requirements(path, into, constraint=False, environ=environ)


def read_constraints(path: Path, into: UserInput, *, environ: Mapping[str, str]) -> None:
    """Add the bounds of a constraints file; they count only for what is needed anyway."""
    _read_requirements(path, into, constraint=True, environ=environ)


def _read_requirements(
    path: Path, into: UserInput, *, constraint: bool, environ: Mapping[str, str]
) -> None:
    for line in read_requirements(path, environ, constraint=constraint):
        if isinstance(line, BadLine):
            raise line.error
        if isinstance(line, OptionLine):
            _option(line, into)
        else:
            into.learn(line.credentials)
            into.requirements.append(_asked(line))


def _asked(line: RequirementLine) -> UserRequirement:
    hashes = frozenset(value for algorithm, value in line.hashes if algorithm == "sha256")
    if line.hashes and not hashes:
        # pip takes a file that has any of the hashes; one that cannot be checked is not dropped.
        raise InputError(
            "bad-hash",
            f"{line.where}: `{line.parsed.name}` has hashes, but no sha256",
            hint="`pip hash` and `pip-compile --generate-hashes` write sha256",
        )
    return UserRequirement(
        parsed=line.parsed,
        where=line.where,
        label=f"{'-c' if line.constraint else '-r'} {line.file.name}",
        constraint=line.constraint,
        hashes=hashes,
    )


def _option(line: OptionLine, into: UserInput) -> None:
    if line.name == "--index-url":
        into.index_url = into.index_url or line.value
    elif line.name == "--extra-index-url":
        into.extra_index_urls.append((line.value, line.where))
    elif line.name == "--find-links":
        folder = line.file.parent / line.value.removeprefix("file://")
        if not folder.is_dir():
            raise InputError("bad-find-links", f"{line.where}: there is no folder {folder}")
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
    if "dependencies" in _strings(project, "dynamic", path):
        raise InputError(
            "dynamic-dependencies",
            f"{path}: the dependencies are dynamic, so only its build backend knows them",
            hint="write them into a requirements file",
        )
    label = f"-r {path.name}"
    where = f"{path}: project.dependencies"
    texts = [(where, item) for item in _strings(project, "dependencies", path)]
    texts += _extras(path, project, extras)
    texts += _groups(path, data.get("dependency-groups", {}), groups)
    for where, item in texts:
        into.add(item, where, label=label, folder=path.parent)
    _requires_python(path, project, into)


def _strings(table: dict[str, Any], key: str, path: Path) -> list[str]:
    """Return a list of strings: a string would be taken for a list of its letters."""
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InputError(
            "bad-file",
            f"{path}: `{key}` is not a list of strings",
            hint=f'write it as {key} = ["numpy>=1.22", "requests"]',
        )
    return value


def _groups(path: Path, table: Any, groups: tuple[str, ...]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for group in groups:
        try:
            names = read_group(table, group)
        except (ValueError, TypeError) as error:
            raise InputError(
                "bad-group", f"{path}: dependency group `{group}`: {one_line(error)}"
            ) from error
        found += [(f"{path}: group {group}", name) for name in names]
    return found


def _extras(path: Path, project: dict[str, Any], extras: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the requirements of extras; one that names the project again opens more extras."""
    name = canonicalize_name(str(project.get("name", "")))
    table = project.get("optional-dependencies", {})
    if not isinstance(table, dict):
        raise InputError("bad-file", f"{path}: `optional-dependencies` is not a table")
    optional = {canonicalize_name(key): _strings(table, key, path) for key in table}
    found: list[tuple[str, str]] = []
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


def _extras_of_itself(item: str, name: str) -> list[NormalizedName]:
    """Return the extras that a requirement opens of the project that it stands in."""
    match = re.match(r"\s*([A-Za-z0-9._-]+)\s*\[([^\]]*)\]", item)
    if match is None or canonicalize_name(match[1]) != name:
        return []
    return [canonicalize_name(part) for part in match[2].split(",")]


def _requires_python(path: Path, project: dict[str, Any], into: UserInput) -> None:
    value = project.get("requires-python")
    if value is None:
        return
    try:
        bound = read_specifiers(value)
    except (ValueError, AttributeError, TypeError) as error:
        raise InputError("bad-file", f"{path}: requires-python: {one_line(error)}") from error
    where, label = f"{path}: project.requires-python", f"-r {path.name}"
    into.requires_python.append(PythonBound(specifier=bound, where=where, label=label))
