"""The formats of a lock: which file name means which format, decided here and nowhere else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdna1_lock.emit.nix import NIX_FILES, nix_emitter
from rdna1_lock.emit.pylock import emit_pylock
from rdna1_lock.emit.requirements import emit_requirements
from rdna1_lock.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rdna1_lock.lock.model import Lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format: its file in a lock folder, and the other names that mean it.

    ``emit`` takes a complete lock and fetches nothing. ``names`` is None for a file that only a
    lock folder has.
    """

    filename: str
    emit: Callable[[Lock], str]
    names: re.Pattern[str] | None = None


FORMATS = (
    # PEP 751: "the file name MUST match the regular expression ^pylock\.([^.]+)\.toml$" where it
    # is not pylock.toml.
    Format(
        filename="pylock.toml",
        emit=emit_pylock,
        names=re.compile(r"pylock(\.[^.]+)?\.toml"),
    ),
    Format(
        filename="requirements.txt",
        emit=emit_requirements,
        names=re.compile(r".+\.txt"),
    ),
    *(Format(filename=name, emit=nix_emitter(name)) for name in NIX_FILES),
)


def format_of(filename: str) -> Format:
    """Return the format that a file name asks for.

    Raises:
        UsageError: the name asks for none.

    """
    for one in FORMATS:
        if one.names is not None and one.names.fullmatch(filename):
            return one
    raise UsageError(
        "unknown-format",
        f"`{filename}` does not say which format to write",
        hint="name it pylock.toml or pylock.NAME.toml (PEP 751), or NAME.txt for pip",
    )


def folder_texts(lock: Lock) -> dict[str, str]:
    """Return the text of every file of a lock folder, by file name."""
    return {one.filename: one.emit(lock) for one in FORMATS}
