"""Which files of a lock folder rdna1-lock wrote: decided by what stands in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rdna1_lock import toml
from rdna1_lock.emit.nix import NIX_FILES, shipped
from rdna1_lock.emit.requirements import HEADER
from rdna1_lock.lock.model import TOOL

if TYPE_CHECKING:
    from collections.abc import Mapping

NIX_HEADER = "# Written by rdna1-lock"
_PYLOCK = re.compile(r"pylock(\.[^.]+)?\.toml")


def not_ours(existing: Mapping[str, bytes | None]) -> list[str]:
    """Return the names of files that rdna1-lock did not write; None is what cannot be read.

    A file of ours that somebody has edited since is still ours. An empty file is nobody's.
    """
    return [
        name for name, content in existing.items() if content != b"" and not _ours(name, existing)
    ]


def _ours(name: str, existing: Mapping[str, bytes | None]) -> bool:
    content = existing.get(name)
    if content is None:
        return False
    if _PYLOCK.fullmatch(name):
        return _has_our_table(content)
    if name == "flake.lock":
        # JSON has no comments. Nix may have renewed the pin of a flake that is ours.
        return content == shipped(name).encode() or _ours("flake.nix", existing)
    header = NIX_HEADER if name in NIX_FILES else HEADER
    return content.startswith(header.encode())


def _has_our_table(content: bytes) -> bool:
    try:
        data = toml.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, toml.TOMLDecodeError, RecursionError):
        return False
    tool = data.get("tool")
    return isinstance(tool, dict) and TOOL in tool
