"""The environment of a worker: the lock's variables, private caches, and nothing inherited else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

INHERITED = ("PATH", "HOME", "LANG")


def worker_environment(
    variables: Mapping[str, str], caches: Path, *, visible: int | None
) -> dict[str, str]:
    """Return all variables of a worker; ``caches`` is a folder that only this worker uses.

    MIOpen narrows what it writes to its find database by the variables that are set, and an old
    database decides the solver of a later run, so both of its caches must be new. ``visible`` is
    HIP's index of the card under test where the machine has several.
    """
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    private = {
        "MIOPEN_USER_DB_PATH": str(caches / "miopen-db"),
        "MIOPEN_CUSTOM_CACHE_DIR": str(caches / "miopen-cache"),
        "AMD_COMGR_CACHE_DIR": str(caches / "comgr"),
    }
    for folder in private.values():
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103  # plain strings for the worker
    chosen = {} if visible is None else {"HIP_VISIBLE_DEVICES": str(visible)}
    return {**kept, **variables, **private, **chosen}
