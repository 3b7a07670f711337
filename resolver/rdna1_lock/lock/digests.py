"""The digests of a lock's parts, over the data of its TOML file."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from rdna1_lock.lock.model import TOOL

if TYPE_CHECKING:
    from collections.abc import Mapping

# The parts of a lock, in the order in which they are named to people.
PARTS = ("packages", "target", "env", "nix", "inputs")


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


def digest(value: Any) -> str:
    """Hash TOML data in a form of its own: sorted keys, no white space, ASCII."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
