"""``--deep``: start torch as the user would, in a worker that may hang."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdna1_lock.guard.patience import Patience
from rdna1_lock.guard.runner import WORKER, run_worker

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rdna1_lock.guard.outcome import Record

BUDGET = {"spawn": 30.0, "import": 120.0, "device": 60.0, "first": 30.0, "teardown": 20.0}


def start_torch(interpreter: str, environ: Mapping[str, str]) -> Record:
    """Import torch, pass arrays, and note which libraries were loaded."""
    return run_worker(
        [interpreter, "-B", str(WORKER)],
        "audit",
        {"kind": "numpy", "device": "auto"},
        dict(environ),
        patience=Patience(budget=BUDGET),
    )
