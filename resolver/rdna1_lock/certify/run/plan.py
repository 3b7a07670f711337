"""What a sweep is to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rdna1_lock.guard.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rdna1_lock.certify.run.suite import Case


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One run of the suite.

    ``device`` is ``gpu``, ``cpu`` or ``auto``; ``visible`` is HIP's index of the card. ``environ``
    are the variables of this process, of which workers inherit a few; ``variables`` the lock's.
    ``quick`` runs all cases in one process, without a worker of its own for each.
    """

    python: Path
    environ: Mapping[str, str]
    variables: Mapping[str, str]
    cases: tuple[Case, ...]
    seed: str
    device: str
    visible: int | None = None
    quick: bool = False
    ablate: bool = False
    vision: bool = False
    patience: Patience = field(default_factory=Patience)

    @property
    def workers(self) -> int:
        """How many workers run, probes not counted."""
        isolated = 0 if self.quick else len(self.cases)
        # All cases together, numpy, without MIOpen, and the solvers.
        return isolated + 4 + self.vision + (len(self.variables) if self.ablate else 0)
