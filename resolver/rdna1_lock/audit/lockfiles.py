"""Lock and requirements files of every tool as subjects: what they fix, and where from."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from rdna1_lock import toml
from rdna1_lock.audit.requirements import requirements_subject
from rdna1_lock.audit.subject import Package, Subject, read_version
from rdna1_lock.errors import InputError, one_line
from rdna1_lock.pep508 import read_specifiers
from rdna1_lock.requirements import read_lines, read_requirements, read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from packaging.specifiers import SpecifierSet

Found = tuple[list[Package], "SpecifierSet | None"]
_CONDA = re.compile(r"^([A-Za-z0-9][\w.-]*)\s*(==?|[<>!~]=?)?\s*([^=\s]*)")


def is_lock_file(path: Path) -> bool:
    """Say whether the name of a file is that of a format that is read here."""
    return _reader(path) is not None


def read_lock_file(path: Path, environ: Mapping[str, str]) -> Subject:
    """Read a file; ``environ`` fills in the variables that a requirements file names.

    Raises:
        InputError: it cannot be read, or is not what its name says.

    """
    read = _reader(path)
    if read is None:
        raise InputError(
            "unknown-file",
            f"{path.name}: `audit` does not recognise this format",
            hint="it reads pylock.toml, requirements.txt, uv.lock, poetry.lock, pdm.lock, Pipfile.lock and conda's environment.yml",
        )
    try:
        return read(path, environ)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(
            "bad-file",
            f"{path} is not what its name says: {one_line(error)}",
            hint="regenerate it with the tool that created it",
        ) from error


def _reader(path: Path) -> Callable[[Path, Mapping[str, str]], Subject] | None:
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


def _toml(
    read: Callable[[dict[str, Any]], Found],
) -> Callable[[Path, Mapping[str, str]], Subject]:
    def whole(path: Path, _: Mapping[str, str]) -> Subject:
        text = read_text(path)
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
    """Read a bound on Python; one that is not PEP 440, such as poetry's caret, is passed over."""
    try:
        return read_specifiers(str(text)) if text and text != "*" else None
    except ValueError:
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


def _pipfile(path: Path, _: Mapping[str, str]) -> Subject:
    data = json.loads(read_text(path))
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


def _requirements(path: Path, environ: Mapping[str, str]) -> Subject:
    return requirements_subject(path, read_requirements(path, environ))


def _conda(path: Path, environ: Mapping[str, str]) -> Subject:
    """Read conda's environment.yml: its own packages, and the pip section inside."""
    text = read_text(path)
    items = _conda_items(text, path)
    packages: list[Package] = []
    python: SpecifierSet | None = None
    for name, version in filter(None, map(_conda_package, items)):
        if name == "python":
            python = _specifier(f"=={version}.*" if version else None)
            continue
        # conda's name for torch.
        project = canonicalize_name("torch" if name == "pytorch" else name)
        packages.append(
            Package(name=project, version=read_version(version), source="conda", hashed=False)
        )
    pip = [str(line) for item in items if isinstance(item, dict) for line in item.get("pip", [])]
    lines = read_lines(_numbered(pip, text), path, environ)
    return requirements_subject(path, lines, conda=tuple(packages), requires_python=python)


def _conda_items(text: str, path: Path) -> list[Any]:
    import yaml  # 30 ms, only for this form

    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError("bad-file", f"{path} is not valid YAML: {one_line(error)}") from error
    items = data.get("dependencies") if isinstance(data, dict) else None
    if not isinstance(items, list):
        raise InputError(
            "bad-file", f"{path} is not an environment.yml: it has no list `dependencies`"
        )
    return items


def _conda_package(item: Any) -> tuple[str, str | None] | None:
    """Read ``channel::name=version``: the name, and the version where it is fixed."""
    match = None if isinstance(item, dict) else _CONDA.match(str(item).split("::")[-1])
    if match is None:
        return None
    return canonicalize_name(match[1]), match[3] if match[2] in {"=", "=="} else None


def _numbered(wanted: list[str], text: str) -> list[tuple[int | None, str]]:
    """Find the line of each requirement in the YAML."""
    lines = text.splitlines()
    return [
        (next((number for number, raw in enumerate(lines, 1) if line in raw), None), line)
        for line in wanted
    ]
