"""A lock as the data of its TOML file, and the digests of its parts."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from rdna1_lock.lock.model import SCHEMA, TOOL, Input, Inputs
from rdna1_lock.model import Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rdna1_lock.lock.model import Lock

# The parts of a lock, in the order in which they are named to people.
PARTS = ("packages", "target", "env", "nix", "inputs")


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


def digests(data: Mapping[str, Any]) -> dict[str, str]:
    """Hash each part of a lock's data; together they cover everything that has an effect."""
    table = data["tool"][TOOL]
    parts = {
        "packages": data["packages"],
        "target": [
            {key: value for key, value in data.items() if key not in {"packages", "tool"}},
            table.get("target"),
        ],
        "env": table.get("env"),
        "nix": table.get("nix"),
        "inputs": {
            key: value
            for key, value in table.items()
            if key not in {"schema", "digests", "target", "env", "nix"}
        },
    }
    return {name: digest(parts[name]) for name in PARTS}


def differing(old: Lock, new: Lock) -> tuple[str, ...]:
    """Return the parts in which two locks differ."""
    before, after = (document(lock)["tool"][TOOL]["digests"] for lock in (old, new))
    return tuple(name for name in PARTS if before[name] != after[name])


def different_inputs(old: Inputs, new: Inputs) -> list[str]:
    """Return a line for every input in which two locks differ."""
    lines = []
    for field in fields(Inputs):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before == after:
            continue
        name = field.name.replace("_", "-")
        if field.name in {"requirements", "constraints", "requires_python"}:
            lines += [f"{name}: no longer {_shown(item)}" for item in before if item not in after]
            lines += [f"{name}: now also {_shown(item)}" for item in after if item not in before]
        elif field.name == "rules":
            lines.append("rules: they decide something else than when the lock was made")
        elif field.name == "facts":
            lines.append("facts: those about its packages differ from when the lock was made")
        else:
            lines.append(f"{name}: {_shown(before)} -> {_shown(after)}")
    return lines


def _shown(value: Any) -> str:
    if isinstance(value, Input):
        hashes = f" with {len(value.hashes)} hashes" if value.hashes else ""
        return f"{value.text} ({value.source}){hashes}"
    if isinstance(value, Target):
        return f"Python {value.python} on {value.platform}"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def digest(value: Any) -> str:
    """Hash TOML data in a form of its own: sorted keys, no white space, ASCII."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Write packaging's values as TOML has them."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if isinstance(value, (int, bool)) else str(value)
