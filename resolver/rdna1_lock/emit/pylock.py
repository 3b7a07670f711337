"""``pylock.toml``: PEP 751, the single source of a lock folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tomli_w

from rdna1_lock.lock.digests import digests
from rdna1_lock.lock.model import SCHEMA, TOOL

if TYPE_CHECKING:
    from rdna1_lock.lock.model import Input, Inputs, Lock


def emit_pylock(lock: Lock) -> str:
    """Return the text of ``pylock.toml``; equal locks give equal text."""
    return tomli_w.dumps(document(lock))


def document(lock: Lock) -> dict[str, Any]:
    """Return the data of ``pylock.toml``; equal locks give equal data, in the same order."""
    data: dict[str, Any] = dict(lock.pylock.to_dict())
    data.pop("tool", None)
    data["packages"] = [_plain(package) for package in data["packages"]]
    table = _inputs_table(lock.inputs)
    table["env"] = dict(lock.env)
    table["nix"] = dict(lock.nix)
    data["tool"] = {TOOL: table}
    table = {"schema": SCHEMA, "digests": digests(data), **table}
    data["tool"] = {TOOL: table}
    return data


def _inputs_table(inputs: Inputs) -> dict[str, Any]:
    table: dict[str, Any] = {
        "stack": inputs.stack,
        "rules": inputs.rules,
        "portable": inputs.portable,
    }
    if inputs.facts is not None:
        table["facts"] = inputs.facts
    if inputs.index is not None:
        table["index"] = inputs.index
    table["target"] = {
        "python": str(inputs.target.python),
        "platform": inputs.target.platform,
        "glibc": inputs.target.glibc,
        "gfx": list(inputs.gfx),
    }
    asked: dict[str, Any] = {"requirements": _rows(inputs.requirements, "requirement")}
    if inputs.constraints:
        asked["constraints"] = _rows(inputs.constraints, "requirement")
    if inputs.requires_python:
        asked["requires-python"] = _rows(inputs.requires_python, "specifier")
    # What is as it is by default is not written.
    options = {
        "prereleases": inputs.prereleases,
        "exclude-newer": inputs.exclude_newer,
        "rocm-index": inputs.rocm_index,
        "find-links": inputs.find_links,
        "allow": list(inputs.allow),
        "recipe": inputs.recipe,
    }
    asked.update({key: value for key, value in options.items() if value})
    if not inputs.catalogue:
        asked["catalogue"] = False
    table["inputs"] = asked
    return table


def _rows(items: tuple[Input, ...], key: str) -> list[dict[str, Any]]:
    return [
        {
            key: item.text,
            "from": item.source,
            **({"hashes": list(item.hashes)} if item.hashes else {}),
        }
        for item in items
    ]


def _plain(value: Any) -> Any:
    """Write packaging's values as TOML has them."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if isinstance(value, (int, bool)) else str(value)
