"""The digests of the right results: shipped for the suite's seed, computed for a challenge."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from rdna1_lock.certify.run import suite
from rdna1_lock.errors import InputError
from rdna1_lock.guard.runner import WORKER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TIMEOUT = 600


def expected_digests(
    challenge: str | None, python: Path | None = None, *, environ: Mapping[str, str]
) -> Mapping[str, Mapping[str, str]]:
    """Return the right digests by shape.

    Those of a challenge are computed with numpy by integer convolution, in some seconds, by
    ``python`` or by the interpreter of this program: numpy is not a dependency of rdna1-lock, but
    every environment of a lock has it.

    Raises:
        InputError: numpy is not available.

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
            env=dict(environ),
        )
        found: dict[str, dict[str, str]] = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise InputError(
            "no-numpy",
            f"checking a challenge requires numpy, which {program} cannot import",
            hint="use --python with an interpreter that has numpy, such as the lock's environment",
        ) from error
    return found
