"""One TOML file of ``constraints/``, read key by key; every error names file and entry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from rdna1_lock import toml
from rdna1_lock.errors import InputError, one_line
from rdna1_lock.rules.model import Evidence

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")
SCHEMA = 1
# What names an entry in an error, if it has one of these.
NAMED_BY = ("id", "filename", "device", "name", "tool", "rule")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Entry:
    """A table of a rule file that is read key by key; leftovers and gaps are errors."""

    def __init__(self, data: Any, file: str, where: str) -> None:
        self.file = file
        self.where = where
        if not isinstance(data, dict):
            raise self.error("is not a table")
        self.data: dict[str, Any] = dict(data)

    def error(self, what: str) -> InputError:
        """Return the error that names this file and entry."""
        return InputError(
            "bad-rule-file",
            f"{self.file}: {self.where}: {what}",
            hint="constraints/README.md and constraints/schema.json describe the form",
        )

    def take(self, key: str, kind: type[T], *, default: T | None = None) -> T:
        """Return a value of the right type and strike it off; without default it must exist."""
        if key not in self.data:
            if default is None:
                raise self.error(f"`{key}` is missing")
            return default
        value = self.data.pop(key)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.error(f"`{key}` must be a {kind.__name__}, not {value!r}")
        return value

    def text(self, key: str) -> str:
        """Return a string that is not empty."""
        value = self.take(key, str)
        if not value.strip():
            raise self.error(f"`{key}` is empty")
        return value

    def optional(self, key: str) -> str | None:
        """Return a string or None."""
        return self.take(key, str) if key in self.data else None

    def texts(self, key: str, *, required: bool = True) -> tuple[str, ...]:
        """Return a list of strings; a required one must not be empty."""
        values = self.take(key, list, default=None if required else [])
        if not all(isinstance(value, str) for value in values):
            raise self.error(f"`{key}` must be a list of strings")
        if required and not values:
            raise self.error(f"`{key}` is empty")
        return tuple(values)

    def specifier(self, key: str) -> SpecifierSet | None:
        """Return a version specifier or None."""
        text = self.optional(key)
        if text is None:
            return None
        try:
            return SpecifierSet(text)
        except InvalidSpecifier as error:
            raise self.error(f"`{key}`: {one_line(error)}") from error

    def bound(self, key: str) -> SpecifierSet:
        """Return a version specifier that must be given."""
        found = self.specifier(key)
        if found is None:
            raise self.error(f"`{key}` is missing")
        return found

    def table(self, key: str) -> Entry:
        """Return a table inside this one; whoever takes it calls its ``done``."""
        return Entry(self.take(key, dict), self.file, f"{self.where}.{key}")

    def copy(self) -> Entry:
        """Return the same entry, to be read once more from what is left of it."""
        return Entry(self.data, self.file, self.where)

    def date(self) -> str:
        """Return the date of the facts; nothing loads without one."""
        value = self.text("date")
        if not _DATE.fullmatch(value):
            raise self.error(f"`date` must be YYYY-MM-DD, not {value!r}")
        return value

    def evidence(self) -> tuple[Evidence, ...]:
        """Return the kinds of evidence; nothing loads without one."""
        try:
            return tuple(Evidence(value) for value in self.texts("evidence"))
        except ValueError as error:
            raise self.error(f"`evidence`: {one_line(error)}") from error

    def done(self) -> None:
        """Refuse keys that nobody asked for."""
        if self.data:
            raise self.error(f"unknown key `{min(self.data)}`")


def read_entry(path: Path) -> Entry:
    """Read a file and check that its schema is the one that this program knows."""
    name = f"constraints/{path.parent.name}/{path.name}".replace(
        "constraints/constraints/", "constraints/"
    )
    try:
        data = toml.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, toml.TOMLDecodeError) as error:
        raise InputError("bad-rule-file", f"{name}: {one_line(error)}") from error
    entry = Entry(data, name, "top level")
    if entry.take("schema", int) != SCHEMA:
        raise entry.error(
            f"`schema` must be {SCHEMA}: the file is for another version of rdna1-lock"
        )
    return entry


def read_tables(entry: Entry, key: str, read: Callable[[Entry], T]) -> tuple[T, ...]:
    """Read an array of tables, each by ``read``; what it leaves over is an error."""
    found = []
    for number, data in enumerate(entry.take(key, list), 1):
        label = f"{key}[{number}]"
        if isinstance(data, dict):
            named = (data.get(field) for field in NAMED_BY)
            label += next((f" ({name})" for name in named if isinstance(name, str)), "")
        table = Entry(data, entry.file, label)
        found.append(read(table))
        table.done()
    return tuple(found)
