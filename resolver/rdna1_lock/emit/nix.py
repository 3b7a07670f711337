"""The Nix files of a lock folder: fixed texts, which read ``pylock.toml`` when Nix evaluates them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from rdna1_lock.lock.model import Lock

NIX_FILES = ("flake.nix", "flake.lock", "env.nix", "shell.nix")


def nix_emitter(name: str) -> Callable[[Lock], str]:
    """Return the emitter of one of ``NIX_FILES``; its text is the same for every lock."""

    def emit(_: Lock) -> str:
        return shipped(name)

    return emit


def shipped(name: str) -> str:
    """Return the text of one of ``NIX_FILES``."""
    return (Path(__file__).with_name("nixfiles") / name).read_text("utf-8")
