"""``pylock.toml``: PEP 751, the single source of a lock folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tomli_w

from rdna1_lock.lock.model import SCHEMA, TOOL, packages_digest

if TYPE_CHECKING:
    from rdna1_lock.lock.model import Lock


def emit_pylock(lock: Lock) -> str:
    """Return the text of ``pylock.toml``; equal locks give equal text."""
    data: dict[str, Any] = dict(lock.pylock.to_dict())
    data.pop("tool", None)
    data["packages"] = [_plain(package) for package in data["packages"]]
    table: dict[str, Any] = {
        "schema": SCHEMA,
        "digest": packages_digest(data["packages"]),
        **lock.inputs.to_toml(),
        "env": dict(lock.env),
        "nix": dict(lock.nix),
    }
    data["tool"] = {TOOL: table}
    return tomli_w.dumps(data)


def _plain(value: Any) -> Any:
    """Write packaging's values as TOML has them."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if isinstance(value, (int, bool)) else str(value)
