"""How long a worker may take, phase by phase."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Seconds for each phase. First calls compile kernels, for which half a minute was reported.
BUDGET: dict[str, float] = {
    "spawn": 60,
    "import": 180,
    "device": 90,
    "reference": 120,
    "first": 300,
    "warm": 60,
    "compare": 60,
    "teardown": 20,
}
OTHER_PHASE = 60.0


@dataclass(frozen=True, kw_only=True)
class Patience:
    """Seconds to wait: for each phase, and between the signals that end a hang."""

    budget: Mapping[str, float] = field(default_factory=lambda: BUDGET)
    evidence: float = 1.0
    term: float = 3.0
    kill: float = 5.0
    heartbeat: float = 1.0

    def of(self, phase: str) -> float:
        """Return the budget of a phase."""
        return self.budget.get(phase, OTHER_PHASE)
