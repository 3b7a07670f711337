"""Lock and requirements files of other tools as subjects: what they fix, and where from."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from rdna1_lock import toml
from rdna1_lock.audit.subject import Package, Subject, read_version
from rdna1_lock.errors import InputError, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

Found = tuple[list[Package], "SpecifierSet | None"]
_LINE = re.compile(r"(?:^|\s)#.*$")
_EXTRA = re.compile(r"^--extra-index-url[ =](\S+)")
_INDEX = re.compile(r"^(?:-i|--index-url)[ =](\S+)")
_CONDA = re.compile(r"^([A-Za-z0-9][\w.-]*)\s*(==?|[<>!~]=?)?\s*([^=\s]*)")


def is_lock_file(path: Path) -> bool:
    """Say whether a file is of a form that is read here, by its name."""
    return _reader(path) is not None


def read_lock_file(path: Path) -> Subject:
    """Read a file.

    Raises:
        InputError: it cannot be read, or is not what its name says.

    """
    read = _reader(path)
    if read is None:
        raise InputError(
            "unknown-file",
            f"{path.name} is of no form that audit knows",
            hint="it reads pylock.toml, requirements.txt, uv.lock, poetry.lock, pdm.lock, Pipfile.lock and conda's environment.yml",
        )
    try:
        text = path.read_text("utf-8")
        return read(text, path)
    except InputError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("bad-file", f"{path}: {one_line(error)}") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(
            "bad-file",
            f"{path} is not what its name says: {one_line(error)}",
            hint="make it again with the tool that it is of",
        ) from error


def _reader(path: Path) -> Callable[[str, Path], Subject] | None:
    name = path.name
    if name.startswith("pylock") and name.endswith(".toml"):
        return _toml(_pylock)
    exact = {"uv.lock": _uv, "poetry.lock": _poetry, "pdm.lock": _pdm}
    if name in exact:
        return _toml(exact[name])
    if name == "Pipfile.lock":
        return _pipfile
    if name.endswith((".yml", ".yaml")):
        return _conda
    return _requirements if name.endswith((".txt", ".in")) else None


def _toml(read: Callable[[dict[str, Any]], Found]) -> Callable[[str, Path], Subject]:
    def whole(text: str, path: Path) -> Subject:
        packages, python = read(toml.loads(text))
        lines = _lines(text)
        placed = [_with_line(package, lines) for package in packages]
        return Subject(kind="file", label=str(path), packages=tuple(placed), requires_python=python)

    return whole


def _lines(text: str) -> dict[str, list[int]]:
    """Return where each `name = "..."` stands."""
    found: dict[str, list[int]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'name\s*=\s*"([^"]+)"', line)
        if match:
            found.setdefault(canonicalize_name(match[1]), []).append(number)
    return found


def _with_line(package: Package, lines: dict[str, list[int]]) -> Package:
    from dataclasses import replace

    places = lines.get(package.name)
    return replace(package, line=places.pop(0) if places else None)


def _specifier(text: Any) -> SpecifierSet | None:
    """Read a bound on Python; poetry's caret is no specifier and says nothing here."""
    try:
        return SpecifierSet(str(text)) if text and text != "*" else None
    except InvalidSpecifier:
        return None


def _pylock(data: Mapping[str, Any]) -> Found:
    packages = []
    for item in data.get("packages", []):
        files = [*item.get("wheels", []), *([item["archive"]] if "archive" in item else [])]
        packages.append(
            Package(
                name=canonicalize_name(item["name"]),
                version=read_version(item.get("version")),
                source=item.get("index") or next((f["url"] for f in files if "url" in f), None),
                hashed=bool(files) and all(file.get("hashes") for file in files),
            )
        )
    return packages, _specifier(data.get("requires-python"))


def _uv(data: Mapping[str, Any]) -> Found:
    packages = []
    for item in data["package"]:
        source = item.get("source", {})
        if {"virtual", "editable"} & source.keys():
            continue
        files = item.get("wheels", [])
        packages.append(
            Package(
                name=canonicalize_name(item["name"]),
                version=read_version(item.get("version")),
                source=source.get("registry") or source.get("url"),
                hashed=bool(files) and all(file.get("hash") for file in files),
            )
        )
    return packages, _specifier(data.get("requires-python"))


def _poetry(data: Mapping[str, Any]) -> Found:
    packages = [
        Package(
            name=canonicalize_name(item["name"]),
            version=read_version(item.get("version")),
            source=item.get("source", {}).get("url"),
            hashed=bool(item.get("files")),
        )
        for item in data["package"]
    ]
    return packages, _specifier(data.get("metadata", {}).get("python-versions"))


def _pdm(data: Mapping[str, Any]) -> Found:
    packages = [
        Package(
            name=canonicalize_name(item["name"]),
            version=read_version(item.get("version")),
            source=next((file["url"] for file in item.get("files", []) if "url" in file), None),
            hashed=bool(item.get("files")),
        )
        for item in data["package"]
    ]
    targets = data.get("metadata", {}).get("targets", [])
    bounds = [target["requires_python"] for target in targets if "requires_python" in target]
    return packages, _specifier(bounds[0] if bounds else None)


def _pipfile(text: str, path: Path) -> Subject:
    data = json.loads(text)
    meta = data.get("_meta", {})
    urls = {source["name"]: source["url"] for source in meta.get("sources", [])}
    packages = []
    for group in ("default", "develop"):
        for name, item in data.get(group, {}).items():
            pinned = str(item.get("version", "")).removeprefix("==")
            packages.append(
                Package(
                    name=canonicalize_name(name),
                    version=read_version(pinned),
                    source=urls.get(item.get("index"), item.get("file")),
                    hashed=bool(item.get("hashes")),
                )
            )
    wanted = meta.get("requires", {}).get("python_version")
    return Subject(
        kind="file",
        label=str(path),
        packages=tuple(packages),
        requires_python=_specifier(f"=={wanted}.*") if wanted else None,
    )


def _requirements(text: str, path: Path) -> Subject:
    packages, extras, notes = _requirement_lines(enumerate(text.splitlines(), 1))
    return Subject(
        kind="file",
        label=str(path),
        packages=tuple(packages),
        extra_indexes=tuple(extras),
        notes=tuple(notes),
    )


def _requirement_lines(
    numbered: Iterable[tuple[int | None, str]],
) -> tuple[list[Package], list[tuple[str, int | None]], list[str]]:
    """Read requirements as pip writes them; what cannot be read is told in a note."""
    packages: list[Package] = []
    extras: list[tuple[str, int | None]] = []
    notes: list[str] = []
    index: str | None = None
    joined, start = "", None
    for number, raw in numbered:
        start = start if joined else number
        joined += raw
        if joined.endswith("\\"):
            joined = joined[:-1]
            continue
        line, joined = _LINE.sub("", joined).strip(), ""
        if match := _EXTRA.match(line):
            extras.append((match[1], start))
        elif match := _INDEX.match(line):
            index = match[1]
        elif line.startswith("-") or not line:
            if line.startswith(("-r", "-c", "--requirement", "-e")):
                notes.append(f"line {start}: {line.split()[0]} is not followed")
        else:
            bare, *hashes = re.split(r"\s--hash[ =]", line)
            try:
                packages.append(_asked(bare.strip(), start, index, hashed=bool(hashes)))
            except InvalidRequirement:
                notes.append(f"line {start} cannot be read: {bare.strip()[:60]}")
    return packages, extras, notes


def _asked(text: str, line: int | None, index: str | None, *, hashed: bool) -> Package:
    parsed = Requirement(text)
    pins = [part.version for part in parsed.specifier if part.operator in {"==", "==="}]
    version = read_version(pins[0]) if len(pins) == 1 and "*" not in pins[0] else None
    if parsed.url is not None:
        match = re.search(r"/[^/]+?-([^-/]+)-[^/]*\.whl", parsed.url.replace("%2B", "+"))
        version = read_version(match[1]) if match else None
        hashed = hashed or "#sha256=" in parsed.url
    return Package(
        name=canonicalize_name(parsed.name),
        version=version,
        specifier=parsed.specifier,
        source=parsed.url or index,
        hashed=hashed,
        line=line,
    )


def _conda(text: str, path: Path) -> Subject:
    """Read conda's environment.yml: its own packages, and the pip section inside."""
    import yaml  # 30 ms, only for this form

    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError("bad-file", f"{path} is no YAML: {one_line(error)}") from error
    if not isinstance(data, dict) or not isinstance(data.get("dependencies"), list):
        raise InputError("bad-file", f"{path} is no environment.yml: it has no dependencies")
    packages: list[Package] = []
    pip: list[str] = []
    python: SpecifierSet | None = None
    for item in data["dependencies"]:
        if isinstance(item, dict):
            pip += [str(line) for line in item.get("pip", [])]
            continue
        match = _CONDA.match(str(item).split("::")[-1])
        if match is None:
            continue
        name, version = canonicalize_name(match[1]), match[3] if match[2] in {"=", "=="} else None
        if name == "python":
            python = _specifier(f"=={version}.*" if version else None)
        else:
            name = canonicalize_name("torch") if name == "pytorch" else name
            packages.append(
                Package(name=name, version=read_version(version), source="conda", hashed=False)
            )
    lines = text.splitlines()
    numbered = [
        (next((n for n, raw in enumerate(lines, 1) if line in raw), None), line) for line in pip
    ]
    asked, extras, notes = _requirement_lines(numbered)
    return Subject(
        kind="file",
        label=str(path),
        packages=(*packages, *asked),
        requires_python=python,
        extra_indexes=tuple(extras),
        notes=tuple(notes),
    )
