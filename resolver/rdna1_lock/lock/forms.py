"""The form of every string in a lock, checked when it is read.

The digests of a lock are not keyed: they find accidents, and whoever writes a lock can make them
anew. So each string that reaches a shell, a path, a requirements file or Nix is held to its form,
whatever the digests say.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from rdna1_lock.pep508 import read_pep508, read_specifiers
from rdna1_lock.rules import lockable_variables
from rdna1_lock.text import printable
from rdna1_lock.urls import ALGORITHMS, BadURLError, is_filename, read_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.pylock import Package, PackageArchive, PackageWheel

WHEELS_FOLDER = "wheels"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HEX = re.compile(r"[0-9a-f]+")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_STACK = re.compile(r"[a-z0-9][a-z0-9.-]{0,40}")
_FACT = re.compile(r"A(-[a-z0-9]{1,40}){1,8}")
_GFX = re.compile(r"gfx[0-9a-f]{3,5}")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,80}")
_VALUE = re.compile(r"[!-~]([ -~]{0,1000}[!-~])?")
_NIX_ATTRIBUTE = re.compile(r"[A-Za-z_][\w'-]*(\.[A-Za-z_][\w'-]*)*")
_NIX_PYTHON = re.compile(r"python3\d{1,2}")
_GLIBC = re.compile(r"2\.\d{1,2}")
LARGEST_WHEEL = 1 << 40
LONGEST = 4096
_PACKAGE_TABLES = (
    {"source": "local"},
    {"legacy-metadata": True},
    {"source": "local", "legacy-metadata": True},
)


class FormError(ValueError):
    """A string of a lock has not the form that it must have; the message says which and why."""


def bounded(value: Any) -> None:
    """Refuse strings that no lock needs: numbers in them could have more digits than int() takes."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [*one, *one.values()]
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str) and len(one) > LONGEST:
            raise FormError(f"it has a string of {len(one)} characters: {shown(one)}")


def text(value: Any, what: str, *, longest: int = 4096) -> str:
    """Return a printable string of one line."""
    if not isinstance(value, str):
        raise FormError(f"{what} is not a string")
    if not value or len(value) > longest or printable(value) != value:
        raise FormError(f"{what} is empty, too long, or has hidden characters")
    return value


def _matching(pattern: re.Pattern[str], value: Any, what: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise FormError(f"{what} is {shown(value)}")
    return value


def shown(value: Any) -> str:
    """Write a value from a lock so that it can stand in an error."""
    return printable(repr(value))[:120]


def digest(value: Any, what: str) -> str:
    """Return ``sha256:`` and 64 hexadecimal digits."""
    return _matching(_DIGEST, value, what)


def stack(value: Any) -> str:
    """Return the id of a stack."""
    return _matching(_STACK, value, "`stack`")


def recipe(value: Any) -> str:
    """Return the name of a recipe."""
    return _matching(_STACK, value, "`inputs.recipe`")


def fact(value: Any) -> str:
    """Return the id of a fact, e.g. A-transformers-torch."""
    return _matching(_FACT, value, "a fact in `inputs.allow`")


def gfx(value: Any) -> str:
    """Return a gfx target, e.g. gfx1010."""
    return _matching(_GFX, value, "a target in `gfx`")


def requirement(value: Any, what: str) -> str:
    """Return a requirement (PEP 508) of one line."""
    line = text(value, what)
    try:
        parsed = read_pep508(line)
    except ValueError as error:
        raise FormError(f"{what} is not a requirement: {shown(line)}") from error
    if parsed.url is not None:
        url(parsed.url.partition("#")[0], what)
    return line


def specifier(value: Any, what: str) -> str:
    """Return a bound on versions."""
    line = text(value, what, longest=300)
    try:
        read_specifiers(line)
    except ValueError as error:
        raise FormError(f"{what} is not a version specifier: {shown(line)}") from error
    return line


def stated_hash(value: Any, what: str) -> str:
    """Return ``algorithm:digest``, with the digest in hexadecimal."""
    algorithm, _, digits = value.partition(":") if isinstance(value, str) else ("", "", "")
    if len(digits) != ALGORITHMS.get(algorithm) or not _HEX.fullmatch(digits):
        raise FormError(f"{what} has a hash that is not one: {shown(value)}")
    return f"{algorithm}:{digits}"


def url(value: Any, what: str) -> str:
    """Return a URL that is already in the form of ``urls.read_url``."""
    if not isinstance(value, str):
        raise FormError(f"{what} is not a string")
    try:
        clean = read_url(value)
    except BadURLError as error:
        raise FormError(f"{what} {error}: {shown(value)}") from error
    if clean.text != value:
        raise FormError(f"{what} has characters that a URL must encode: {shown(value)}")
    return value


def variables(table: Mapping[str, Any]) -> dict[str, str]:
    """Return variables that a stack may set, with printable values."""
    allowed = lockable_variables()
    for name, value in table.items():
        _matching(_VARIABLE, name, "the name of a variable")
        if name not in allowed:
            raise FormError(f"no stack of this rdna1-lock sets the variable {name}")
        _matching(_VALUE, value, f"the value of {name}")
    return dict(table)


def nix(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Nix attributes: an interpreter, libraries, and a bound on glibc."""
    unknown = set(table) - {"python", "libraries", "glibc-below"}
    if unknown:
        raise FormError(f"`nix` has an unknown key {shown(min(unknown))}")
    found: dict[str, Any] = {"python": _matching(_NIX_PYTHON, table.get("python"), "`nix.python`")}
    libraries = table.get("libraries")
    if not isinstance(libraries, list):
        raise FormError("`nix.libraries` is not a list")
    found["libraries"] = [
        _matching(_NIX_ATTRIBUTE, name, "a name in `nix.libraries`") for name in libraries
    ]
    if "glibc-below" in table:
        found["glibc-below"] = _matching(_GLIBC, table["glibc-below"], "`nix.glibc-below`")
    return found


def package(one: Package) -> str:
    """Check a package: one wheel of its name and version, with a sha256; returns its name."""
    name = str(one.name)
    if canonicalize_name(name) != name:
        raise FormError(f"{shown(name)} is not a normalized name")
    files: list[PackageWheel | PackageArchive] = list(one.wheels or ())
    if one.archive is not None:
        files.append(one.archive)
    if one.version is None or len(files) != 1:
        raise FormError(f"`{name}` is not one wheel with a version and a sha256")
    [file] = files
    if set(file.hashes) != {"sha256"} or not _SHA256.fullmatch(file.hashes["sha256"]):
        raise FormError(f"`{name}` is not one wheel with a version and a sha256")
    if file.size is not None and not 0 <= file.size <= LARGEST_WHEEL:
        raise FormError(f"`{name}` has a size of {file.size} bytes")
    if one.index is not None:
        url(one.index, f"the index of `{name}`")
    ours = (one.tool or {}).get("rdna1-lock", {})
    known: list[Any] = [{}, *_PACKAGE_TABLES]
    if ours not in known:
        raise FormError(f"`{name}` has a table that is not known: {shown(ours)}")
    _file(one, file)
    return name


def _file(one: Package, file: PackageWheel | PackageArchive) -> None:
    """Hold the file name, where it stands, against the package and against URL and path."""
    filename = getattr(file, "name", None)
    if file.url is not None:
        at = read_url(url(file.url, f"the URL of `{one.name}`")).filename
        if filename is not None and at != filename:
            raise FormError(f"`{one.name}`: its URL leads to {shown(at)}, not to {filename}")
        filename = at
    elif file.path is None:
        raise FormError(f"`{one.name}` has neither a URL nor a path")
    if filename is None or not is_filename(filename):
        raise FormError(f"`{one.name}` has no file name that can be one")
    if file.path is not None and file.path != f"{WHEELS_FOLDER}/{filename}":
        raise FormError(f"`{one.name}`: its path is not {WHEELS_FOLDER}/ and the file name")
    try:
        name, version, _, _ = parse_wheel_filename(filename)
    except InvalidWheelFilename as error:
        raise FormError(f"{shown(filename)} is not named as a wheel is (PEP 427)") from error
    if name != one.name or version != one.version:
        raise FormError(f"`{one.name}` {one.version} has the wheel {filename} of something else")
