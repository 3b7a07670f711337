"""What a worker is doing while it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Reported about once a second; ``busy`` says whether the worker used processor time."""

    name: str
    case: str | None
    phase: str
    waited: float
    busy: bool
