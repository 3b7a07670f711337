"""The result of judging a sweep: a verdict, and each test with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Tests of what was measured on and with; all others are about what was measured.
PREREQUISITES = ("hardware/", "environment/", "suite/")


class Verdict(str, Enum):
    """The outcome of a sweep as a whole."""

    CERTIFIED = "certified"
    REHEARSAL = "rehearsal"
    PARTIAL = "partial"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """The verdict, each test by its name, and a reason for each that did not pass.

    ``rehearsal`` says why the run certifies nothing, whatever its results.
    """

    verdict: Verdict
    passed: tuple[str, ...]
    warned: tuple[str, ...]
    failed: tuple[str, ...]
    reasons: Mapping[str, str]
    rehearsal: tuple[str, ...]

    @property
    def result(self) -> str:
        """The ``result`` of in-toto's test-result predicate.

        Anything but a certificate is FAILED there: a reader that knows nothing of rehearsals must
        not take one for a pass.
        """
        if self.verdict is not Verdict.CERTIFIED:
            return "FAILED"
        return "WARNED" if self.warned else "PASSED"

    @property
    def sweep_passed(self) -> bool:
        """Whether everything that was measured is right, wherever it was measured."""
        measured = [name for name in self.failed if not name.startswith(PREREQUISITES)]
        return not measured and bool(self.passed)
