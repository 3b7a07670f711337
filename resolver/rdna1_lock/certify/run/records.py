"""What a sweep leaves: the record of each worker, by what it ran for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rdna1_lock.guard.outcome import Record


@dataclass(kw_only=True)
class SweepRecords:
    """The records of all workers; ``stopped`` says why the sweep ended early, if it did."""

    probe: Record | None = None
    isolated: dict[str, Record] = field(default_factory=dict)
    shared: Record | None = None
    control: Record | None = None
    numpy: Record | None = None
    vision: Record | None = None
    solvers: Record | None = None
    solver_log: dict[str, Any] = field(default_factory=dict)
    ablation: dict[str, Record] = field(default_factory=dict)
    stopped: str | None = None
    kernel_log_readable: bool = False
    kernel_lines: list[str] = field(default_factory=list)
    seconds: float = 0.0
