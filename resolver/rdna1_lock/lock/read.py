"""Read a lock back; an error names the file, the place in it, and the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.pylock import Pylock, PylockUnsupportedVersionError, PylockValidationError

from rdna1_lock import toml
from rdna1_lock.errors import InputError, UsageError, one_line
from rdna1_lock.lock import forms
from rdna1_lock.lock.digests import PARTS, digest, digests
from rdna1_lock.lock.model import SCHEMA, TOOL, Input, Inputs, Lock
from rdna1_lock.model import Preference, Target
from rdna1_lock.regular import read_regular
from rdna1_lock.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LARGEST = 32 * 2**20
_KEYS = {"schema", "stack", "rules", "portable", "index", "target", "inputs", "env", "nix"}
_KEYS_2 = _KEYS | {"facts", "digests"}
_TARGET_KEYS = {"python", "platform", "glibc", "gfx"}
_INPUT_KEYS = {"requirements", "constraints", "prereleases", "exclude-newer"}
_INPUT_KEYS_2 = _INPUT_KEYS | {
    *("requires-python", "rocm-index", "find-links", "catalogue", "allow", "recipe")
}


def read_lock(path: Path) -> Lock:
    """Read and check a ``pylock.toml`` that rdna1-lock made, of this schema or an older one.

    Raises:
        InputError: unreadable, not PEP 751, made by something else, of a newer schema, or with a
            string that has not the form that it must have.

    """
    return lock_from_toml(_load(path), str(path))


def _load(path: Path) -> dict[str, Any]:
    try:
        data: dict[str, Any] = toml.loads(read_regular(path, LARGEST).decode("utf-8"))
    except FileNotFoundError:
        raise InputError(
            "no-lock", f"there is no lock {path}", hint="make one with `rdna1-lock resolve`"
        ) from None
    except (OSError, UnicodeDecodeError, toml.TOMLDecodeError, RecursionError) as error:
        raise _bad(str(path), printable(one_line(error))) from error
    return data


def lock_from_toml(data: dict[str, Any], where: str) -> Lock:
    """Build a lock from the data of a TOML file; ``where`` names the file in errors."""
    try:
        forms.bounded(data)
        pylock = Pylock.from_dict(data)
    except PylockUnsupportedVersionError as error:
        raise InputError("newer-lock", f"{where}: {error}", hint="upgrade rdna1-lock") from error
    except (PylockValidationError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _bad(where, printable(one_line(error))) from error
    tool = data.get("tool")
    table = tool.get(TOOL) if isinstance(tool, dict) else None
    if not isinstance(table, dict):
        raise InputError(
            "foreign-lock",
            f"{where}: there is no table [tool.{TOOL}]; another tool made this lock",
            hint="choose another folder with --output-dir, or another file with --output",
        )
    schema = _schema(table, where)
    try:
        _only(table, _KEYS | {"digest"} if schema == 1 else _KEYS_2, f"[tool.{TOOL}]")
        inputs = _inputs(table, schema)
        env = forms.variables(_table(table, "env"))
        nix = forms.nix(_table(table, "nix"))
        names = [forms.package(package) for package in pylock.packages]
        edited = _edited(data, table, schema)
    except (forms.FormError, UsageError) as error:
        raise _bad(where, str(error)) from error
    if len(set(names)) < len(names):
        raise _bad(where, "it holds a package twice")
    return Lock(pylock=pylock, inputs=inputs, env=env, nix=nix, schema=schema, edited=edited)


def preferences(lock: Lock) -> dict[str, Preference]:
    """Return the pins of a lock, to be kept."""
    return {
        str(package.name): Preference(
            version=str(package.version), filename=wheel.filename, sha256=wheel.hashes["sha256"]
        )
        for package in lock.packages
        for wheel in package.wheels or ()
    }


def _schema(table: Mapping[str, Any], where: str) -> int:
    schema = table.get("schema")
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise _bad(where, f"[tool.{TOOL}] has no schema version")
    if schema > SCHEMA:
        raise InputError(
            "newer-lock",
            f"{where}: its schema is {schema}; this rdna1-lock knows {SCHEMA}",
            hint="upgrade rdna1-lock; nothing was changed",
        )
    return schema


def _edited(data: dict[str, Any], table: Mapping[str, Any], schema: int) -> tuple[str, ...]:
    """Return the parts that are not those of the digests; schema 1 has one, of the packages."""
    if schema == 1:
        return () if table.get("digest") == digest(data["packages"]) else ("packages",)
    stated = _table(table, "digests")
    _only(stated, set(PARTS), "`digests`")
    found = digests(data)
    return tuple(name for name in PARTS if stated.get(name) != found[name])


def _inputs(table: Mapping[str, Any], schema: int) -> Inputs:
    target, asked = _table(table, "target"), _table(table, "inputs")
    _only(target, _TARGET_KEYS, "`target`")
    _only(asked, _INPUT_KEYS if schema == 1 else _INPUT_KEYS_2, "`inputs`")
    python = forms.text(target.get("python"), "`target.python`", longest=12)
    platform = forms.text(target.get("platform"), "`target.platform`", longest=40)
    limit, index, rocm_index, facts, recipe = (
        *(asked.get("exclude-newer"), table.get("index"), asked.get("rocm-index")),
        *(table.get("facts"), asked.get("recipe")),
    )
    return Inputs(
        requirements=_asked(asked, "requirements", "requirement"),
        constraints=_asked(asked, "constraints", "requirement"),
        requires_python=_asked(asked, "requires-python", "specifier"),
        target=Target.parse(python, platform),
        stack=forms.stack(table.get("stack")),
        gfx=tuple(forms.gfx(name) for name in _list(target, "gfx")),
        rules=forms.digest(table.get("rules"), "`rules`"),
        prereleases=_flag(asked, "prereleases", default=False),
        exclude_newer=None
        if limit is None
        else forms.text(limit, "`inputs.exclude-newer`", longest=40),
        portable=_flag(table, "portable", default=None),
        index=None if index is None else forms.url(index, "`index`"),
        rocm_index=None if rocm_index is None else forms.url(rocm_index, "`inputs.rocm-index`"),
        catalogue=_flag(asked, "catalogue", default=True),
        find_links=_flag(asked, "find-links", default=False),
        facts=None if facts is None else forms.digest(facts, "`facts`"),
        allow=tuple(forms.fact(name) for name in _list(asked, "allow")),
        recipe=None if recipe is None else forms.recipe(recipe),
    )


def _asked(table: Mapping[str, Any], key: str, field: str) -> tuple[Input, ...]:
    found = []
    for number, item in enumerate(_list(table, key), 1):
        what = f"`inputs.{key}` {number}"
        if not isinstance(item, dict):
            raise forms.FormError(f"{what} is not a table")
        _only(item, {field, "from", "hashes"}, what)
        read = forms.requirement if field == "requirement" else forms.specifier
        found.append(
            Input(
                text=read(item.get(field), what),
                source=forms.text(item.get("from"), what, longest=300),
                hashes=tuple(forms.stated_hash(one, what) for one in _list(item, "hashes")),
            )
        )
    return tuple(found)


def _only(table: Mapping[str, Any], known: set[str], what: str) -> None:
    unknown = set(table) - known
    if unknown:
        raise forms.FormError(f"{what} has an unknown key {forms.shown(min(unknown))}")


def _table(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = table.get(key)
    if not isinstance(value, dict):
        raise forms.FormError(f"`{key}` is not a table")
    return value


def _list(table: Mapping[str, Any], key: str) -> list[Any]:
    value = table.get(key, [])
    if not isinstance(value, list):
        raise forms.FormError(f"`{key}` is not a list")
    return value


def _flag(table: Mapping[str, Any], key: str, *, default: bool | None) -> bool:
    value = table.get(key, default)
    if not isinstance(value, bool):
        raise forms.FormError(f"`{key}` is not true or false")
    return value


def _bad(where: str, what: str) -> InputError:
    return InputError(
        "bad-lock",
        f"{where}: {what}",
        hint="restore the file, or delete it and run `rdna1-lock resolve` again",
    )
