"""What the user asks for: requirement strings, requirements files, pyproject.toml.

The form of requirements files is pip's. Options that would open a way around the rules are
refused by name instead of being passed over.
"""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.dependency_groups import resolve_dependency_groups
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from rdna1_lock import toml
from rdna1_lock.errors import InputError, UsageError, one_line
from rdna1_lock.index.parse import parse_direct_url
from rdna1_lock.resolution.model import PythonBound, UserRequirement

_COMMENT = re.compile(r"(^|\s+)#.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_URL = re.compile(r"\w+(\+\w+)?://")
_HASH = re.compile(r"(\w+):([0-9a-fA-F]+)")
# Options of pip that change nothing about which wheels are right.
_HARMLESS = {"--require-hashes", "--prefer-binary", "--no-cache-dir"}
_HARMLESS_WITH_VALUE = {"--trusted-host", "--only-binary", "--use-feature"}


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
    text: str,
    where: str,
    *,
    label: str,
    folder: Path | None = None,
    constraint: bool = False,
    hashes: frozenset[str] = frozenset(),
) -> UserRequirement:
    """Read one requirement (PEP 508), a URL of a wheel, or the path of one.

    Raises:
        InputError: for a requirement that stands in a file.
        UsageError: for one on the command line (``folder`` is None).

    """
    error_type = UsageError if folder is None else InputError
    path = (folder or Path()) / text
    named = re.match(r"[\w.-]+\s*(\[[^\]]*\]\s*)?@", text)
    if not named and (_URL.match(text) or text.endswith(".whl") or text.startswith((".", "/"))):
        if "://" not in text:
            if not path.is_file() or path.suffix != ".whl":
                raise error_type(
                    "not-a-wheel",
                    f"{where}: `{text}` is no wheel file",
                    hint="only wheels can be locked: build one with `pip wheel` and name it, or use --find-links",
                )
            text = path.resolve().as_uri()
        text = f"{_name_in_url(text, where, error_type)} @ {text}"
    try:
        parsed = Requirement(text)
    except InvalidRequirement as error:
        raise error_type(
            "bad-requirement",
            f"{where}: `{text}` is no requirement: {str(error).splitlines()[0]}",
            hint="write it as in `numpy>=1.22,<2` or `requests[socks]` (PEP 508)",
        ) from error
    return UserRequirement(
        parsed=parsed, where=where, label=label, constraint=constraint, hashes=hashes
    )


def _name_in_url(url: str, where: str, error_type: type[InputError | UsageError]) -> str:
    file = parse_direct_url(url)
    try:
        return parse_wheel_filename(file if isinstance(file, str) else file.filename)[0]
    except InvalidWheelFilename:
        raise error_type(
            "not-a-wheel",
            f"{where}: {url} does not name a wheel",
            hint="only wheels can be locked: build one with `pip wheel` and use --find-links",
        ) from None


def read_file(
    path: Path, into: UserInput, *, extras: tuple[str, ...] = (), groups: tuple[str, ...] = ()
) -> None:
    """Add what a requirements file or a ``pyproject.toml`` asks for."""
    if path.name == "pyproject.toml" or path.suffix == ".toml":
        _read_pyproject(path, into, extras, groups)
    else:
        _read_requirements(path, into, constraint=False, seen=())


def read_constraints(path: Path, into: UserInput) -> None:
    """Add the bounds of a constraints file; they count only for what is needed anyway."""
    _read_requirements(path, into, constraint=True, seen=())


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise InputError("no-file", f"there is no file {path}") from None
    except UnicodeDecodeError as error:
        raise InputError("bad-file", f"{path} is not UTF-8 text: {one_line(error)}") from error
    except OSError as error:
        raise InputError("bad-file", f"{path} cannot be read: {error.strerror}") from error


def _lines(text: str) -> list[tuple[int, str]]:
    """Join continued lines and drop comments; each keeps the number of its first line."""
    found: list[tuple[int, str]] = []
    pending, start = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        start = start if pending else number
        # A comment line within a continuation ends it, as in pip.
        comment = raw.lstrip().startswith("#")
        if raw.endswith("\\") and not comment:
            pending += raw[:-1]
            continue
        line = pending + ("" if comment else raw)
        pending = ""
        line = _COMMENT.sub("", line).strip()
        if line:
            found.append((start, line))
    rest = _COMMENT.sub("", pending).strip()
    return [*found, (start, rest)] if rest else found


def _read_requirements(
    path: Path, into: UserInput, *, constraint: bool, seen: tuple[Path, ...]
) -> None:
    resolved = path.resolve()
    if resolved in seen:
        raise InputError("file-loop", f"{path} includes itself")
    for number, line in _lines(_text(path)):
        where = f"{path}:{number}"
        expanded = _VARIABLE.sub(lambda match: os.environ.get(match[1], match[0]), line)
        if expanded.startswith("-"):
            _option(expanded, where, path, into, constraint=constraint, seen=(*seen, resolved))
            continue
        text, hashes = _split_hashes(expanded, where)
        into.requirements.append(
            parse_requirement(
                text,
                where,
                label=f"{'-c' if constraint else '-r'} {path.name}",
                folder=path.parent,
                constraint=constraint,
                hashes=hashes,
            )
        )


def _split_hashes(line: str, where: str) -> tuple[str, frozenset[str]]:
    text, *options = re.split(r"\s+(?=--)", line)
    hashes = set()
    for option in options:
        name, _, value = option.replace(" ", "=", 1).partition("=")
        match = _HASH.fullmatch(value.strip())
        if name != "--hash" or match is None:
            raise InputError("bad-option", f"{where}: `{option}` is not understood")
        if match[1] == "sha256":
            hashes.add(match[2].lower())
    return text, frozenset(hashes)


def _option(
    line: str, where: str, path: Path, into: UserInput, *, constraint: bool, seen: tuple[Path, ...]
) -> None:
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise InputError("bad-option", f"{where}: {one_line(error)}") from error
    name, separator, value = words[0].partition("=")
    if not separator:
        if re.match(r"-[rcife][^-]", name):
            name, value = name[:2], name[2:]
        else:
            value = words[1] if len(words) > 1 else ""
    if name in {"-r", "--requirement", "-c", "--constraint"}:
        _read_requirements(
            path.parent / value,
            into,
            constraint=constraint or name in {"-c", "--constraint"},
            seen=seen,
        )
    elif name in {"-i", "--index-url"}:
        into.index_url = into.index_url or value
    elif name == "--extra-index-url":
        into.extra_index_urls.append((value, where))
    elif name in {"-f", "--find-links"}:
        folder = path.parent / value.removeprefix("file://")
        if not folder.is_dir():
            raise InputError("no-folder", f"{where}: there is no folder {folder}")
        into.find_links.append(folder)
    elif name == "--pre":
        into.prereleases = True
    elif name in {"-e", "--editable"}:
        raise InputError(
            "not-a-wheel",
            f"{where}: an editable install cannot be locked",
            hint="only wheels can be locked: build one with `pip wheel` and use --find-links",
        )
    elif name not in _HARMLESS | _HARMLESS_WITH_VALUE:
        raise InputError("bad-option", f"{where}: the option `{name}` is not understood")


def _read_pyproject(
    path: Path, into: UserInput, extras: tuple[str, ...], groups: tuple[str, ...]
) -> None:
    text = _text(path)
    try:
        data = toml.loads(text)
    except toml.TOMLDecodeError as error:
        raise InputError("bad-file", f"{path}: {one_line(error)}") from error
    project = data.get("project")
    if not isinstance(project, dict):
        project = {}
        if not groups:
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
    for group in groups:
        try:
            texts += [
                (f"{path}: group {group}", item)
                for item in resolve_dependency_groups(data.get("dependency-groups", {}), group)
            ]
        except Exception as error:  # packaging raises an ExceptionGroup of its own
            raise InputError(
                "bad-group", f"{path}: dependency group `{group}`: {one_line(error)}"
            ) from error
    for where, item in texts:
        if not isinstance(item, str):
            raise InputError("bad-file", f"{where}: {item!r} is not a string")
        into.requirements.append(parse_requirement(item, where, label=label, folder=path.parent))
    _requires_python(path, project, into)


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
            match = (
                re.match(r"\s*([A-Za-z0-9._-]+)\s*\[([^\]]*)\]", item)
                if isinstance(item, str)
                else None
            )
            if match and canonicalize_name(match[1]) == name:
                todo += [canonicalize_name(part) for part in match[2].split(",")]
            else:
                found.append((f"{path}: extra {extra}", item))
    return found


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
