"""The digests that a run must come to: shipped for the suite's seed, computed for a challenge."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from rdna1_lock.certify import suite
from rdna1_lock.errors import InputError
from rdna1_lock.guard.runner import WORKER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TIMEOUT = 600


def expected_digests(
    challenge: str | None, python: Path | None = None
) -> Mapping[str, Mapping[str, str]]:
    """Return the right digests by shape.

    Those of a challenge are computed by integer convolution with numpy, some seconds, in
    ``python`` or in the interpreter that runs this program: numpy is no dependency of ours, but
    every environment of a lock has it.

    Raises:
        InputError: no numpy is to be had.

    """
    if challenge is None:
        return suite.digests()
    asked = {
        "seed": suite.seed_of(challenge),
        "cases": {suite.shape_key(shape): shape for shape in suite.SHAPES},
    }
    program = str(python or sys.executable)
    try:
        done = subprocess.run(
            [program, "-I", "-B", str(WORKER / "sweep_expected.py")],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )
        found: dict[str, dict[str, str]] = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise InputError(
            "no-numpy",
            f"the answers to a challenge are computed with numpy, and {program} has none that works",
            hint="name an interpreter that has it with --python, e.g. that of the lock's environment",
        ) from error
    return found
