"""Read a lock back; what is wrong with it is said with the place in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.pylock import Pylock, PylockUnsupportedVersionError, PylockValidationError

from rdna1_lock import toml
from rdna1_lock.errors import InputError, one_line
from rdna1_lock.lock.model import SCHEMA, TOOL, Input, Inputs, Lock, packages_digest
from rdna1_lock.model import Preference

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def read_lock(path: Path) -> Lock:
    """Read and check a ``pylock.toml`` that rdna1-lock made.

    Raises:
        InputError: unreadable, not PEP 751, made by something else, edited by hand, or of a
            newer schema.

    """
    return lock_from_toml(_load(path), str(path))


def _load(path: Path) -> dict[str, Any]:
    try:
        data: dict[str, Any] = toml.loads(path.read_text("utf-8"))
        return data  # noqa: TRY300
    except FileNotFoundError:
        raise InputError(
            "no-lock", f"there is no lock {path}", hint="make one with `rdna1-lock resolve`"
        ) from None
    except (OSError, UnicodeDecodeError, toml.TOMLDecodeError) as error:
        raise InputError(
            "bad-lock",
            f"{path}: {one_line(error)}",
            hint="restore the file, or delete it and run `rdna1-lock resolve` again",
        ) from error


def lock_from_toml(data: dict[str, Any], where: str) -> Lock:
    """Build a lock from the data of a TOML file; ``where`` names the file in errors."""
    try:
        pylock = Pylock.from_dict(data)
    except PylockUnsupportedVersionError as error:
        raise InputError("newer-lock", f"{where}: {error}", hint="upgrade rdna1-lock") from error
    except PylockValidationError as error:
        raise _bad(where, str(error)) from error
    table = data.get("tool", {}).get(TOOL)
    if not isinstance(table, dict):
        raise InputError(
            "foreign-lock",
            f"{where}: there is no table [tool.{TOOL}]; another tool made this lock",
            hint="choose another folder with --output-dir, or another file with --output",
        )
    schema = table.get("schema")
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise _bad(where, f"[tool.{TOOL}] has no schema version")
    if schema > SCHEMA:
        raise InputError(
            "newer-lock",
            f"{where}: its schema is {schema}; this rdna1-lock knows {SCHEMA}",
            hint="upgrade rdna1-lock; nothing was changed",
        )
    try:
        inputs = _inputs(table)
        env = {str(key): _string(value) for key, value in _table(table, "env").items()}
        nix = dict(_table(table, "nix"))
    except (KeyError, TypeError, ValueError) as error:
        raise _bad(where, f"[tool.{TOOL}]: {error.args[0] if error.args else error}") from error
    for package in pylock.packages:
        _check_package(package, where)
    edited = table.get("digest") != packages_digest(data["packages"])
    return Lock(pylock=pylock, inputs=inputs, env=env, nix=nix, edited=edited)


def preferences(lock: Lock) -> dict[str, Preference]:
    """Return the pins of a lock, to be taken again."""
    found = {}
    for package in lock.packages:
        for wheel in package.wheels or ():
            found[str(package.name)] = Preference(
                version=str(package.version), filename=wheel.filename, sha256=wheel.hashes["sha256"]
            )
    return found


def _check_package(package: Any, where: str) -> None:
    hashes = [wheel.hashes for wheel in package.wheels or ()]
    if package.archive is not None:
        hashes.append(package.archive.hashes)
    if package.version is None or len(hashes) != 1 or "sha256" not in hashes[0]:
        raise _bad(where, f"`{package.name}` is not one wheel with a version and a sha256")


def _inputs(table: Mapping[str, Any]) -> Inputs:
    target, asked = _table(table, "target"), _table(table, "inputs")
    return Inputs(
        requirements=_asked(asked.get("requirements", [])),
        constraints=_asked(asked.get("constraints", [])),
        python=_string(target["python"]),
        platform=_string(target["platform"]),
        stack=_string(table["stack"]),
        gfx=tuple(_string(name) for name in target["gfx"]),
        rules=_string(table["rules"]),
        prereleases=asked.get("prereleases", False) is True,
        exclude_newer=asked.get("exclude-newer"),
        portable=table["portable"] is True,
        index=table.get("index"),
    )


def _asked(items: Any) -> tuple[Input, ...]:
    return tuple(
        Input(requirement=_string(item["requirement"]), source=_string(item["from"]))
        for item in items
    )


def _table(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = table[key]
    if not isinstance(value, dict):
        raise TypeError(f"`{key}` is not a table")
    return value


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a string")
    return value


def _bad(where: str, what: str) -> InputError:
    return InputError(
        "bad-lock",
        f"{where}: {what}",
        hint="restore the file, or delete it and run `rdna1-lock resolve` again",
    )
