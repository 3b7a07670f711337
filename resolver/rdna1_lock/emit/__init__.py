"""A lock as files, one format a module; emitters take a complete lock and fetch nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdna1_lock.emit.nix import NIX_FILES, nix_emitter
from rdna1_lock.emit.pylock import emit_pylock
from rdna1_lock.emit.requirements import emit_requirements

if TYPE_CHECKING:
    from collections.abc import Callable

    from rdna1_lock.lock.model import Lock

# The files of a lock folder, each with the function that writes its text.
EMITTERS: dict[str, Callable[[Lock], str]] = {
    "pylock.toml": emit_pylock,
    "requirements.txt": emit_requirements,
    **{name: nix_emitter(name) for name in NIX_FILES},
}

__all__ = ["EMITTERS", "NIX_FILES", "emit_pylock", "emit_requirements"]
