"""The variables of a worker: the lock's, private caches, and few inherited ones."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

INHERITED = ("PATH", "HOME", "LANG")


def worker_environment(
    variables: Mapping[str, str],
    caches: Path,
    *,
    environ: Mapping[str, str],
    visible: int | None,
) -> dict[str, str]:
    """Return all variables of a worker; ``caches`` is a folder that only this worker uses.

    The variables that are set decide which solvers MIOpen records in its find database, and that
    database decides the solver of later runs: both caches must be new. ``environ`` is where
    variables are inherited from; ``visible`` is HIP's index of the card, if there are several.
    """
    kept = {name: environ[name] for name in INHERITED if name in environ}
    private = {
        "MIOPEN_USER_DB_PATH": str(caches / "miopen-db"),
        "MIOPEN_CUSTOM_CACHE_DIR": str(caches / "miopen-cache"),
        "AMD_COMGR_CACHE_DIR": str(caches / "comgr"),
    }
    for folder in private.values():
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103  # plain strings for the worker
    chosen = {} if visible is None else {"HIP_VISIBLE_DEVICES": str(visible)}
    return {**kept, **variables, **private, **chosen}
