"""What a file hashes to, and the one judgement of sources that state different hashes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from rdna1_lock.errors import IntegrityError
from rdna1_lock.regular import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

CHUNK = 1 << 20
REPLACED = "bytes were replaced under one name: do not install any of them before you know why"


def hash_file(path: Path | str) -> str:
    """Return the sha256 of a file."""
    digest = hashlib.sha256()
    with open_regular(path) as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def is_right(path: Path, sha256: str) -> bool:
    """Say whether a file exists and has this hash."""
    try:
        return hash_file(path) == sha256
    except OSError:
        return False


def agree(
    filename: str,
    stated: Mapping[str, str | None],
    *,
    algorithm: str = "sha256",
    more: Iterable[str] = (),
    hint: str = REPLACED,
) -> None:
    """Hold the hashes that several sources state about one file against each other.

    ``stated`` maps a source, in words, to the digest that it states; None where it states none.
    ``more`` are further facts for the error.

    Raises:
        IntegrityError: two of them differ.

    """
    known = {who: digest for who, digest in stated.items() if digest is not None}
    if len(set(known.values())) > 1:
        raise IntegrityError(
            "hash-mismatch",
            f"{filename}: two sources state different hashes",
            facts=(*(f"{who}: {algorithm} {digest}" for who, digest in known.items()), *more),
            hint=hint,
        )
