"""In which parts and inputs two locks differ, in words."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from rdna1_lock.emit.pylock import document
from rdna1_lock.lock.digests import PARTS
from rdna1_lock.lock.model import TOOL, Input, Inputs
from rdna1_lock.model import Target

if TYPE_CHECKING:
    from rdna1_lock.lock.model import Lock


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
