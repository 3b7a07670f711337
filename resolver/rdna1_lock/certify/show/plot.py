"""Time against size as an SVG, logarithmic on both axes. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from rdna1_lock.certify.run import suite

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rdna1_lock.certify.show.summary import Row

WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 34, 48
FOOT = HEIGHT - BOTTOM
LABELLED = frozenset({32, 44, 64, 128, 224, 512})
# Attribute of a row (and name of the series), class, and how far the name is below the last point.
SERIES = (("forward", "f", 20), ("backward", "b", -10))


@dataclass(frozen=True, kw_only=True)
class _Axes:
    """Sizes from left to right, powers of ten from the foot up."""

    first: float
    last: float
    low: int
    high: int

    def x(self, size: int) -> float:
        share = (math.log(size) - self.first) / (self.last - self.first)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return FOOT - share * (FOOT - TOP)


def time_plot(rows: Sequence[Row]) -> str | None:
    """Draw the warm times of 3→64 on the route that PyTorch takes by default.

    None if fewer than two sizes have times. Failed sizes are marked at the foot.
    """
    shown = [row for row in rows if row.key.startswith("1x3x")]
    timed = [row for row in shown if row.forward and row.backward]
    if len(timed) < 2:
        return None
    axes = _axes(shown, timed)
    marks = chain.from_iterable(_mark(axes, row) for row in shown)
    lines = chain.from_iterable(_line(axes, timed, *series) for series in SERIES)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Time of a convolution by size">',
        *_grid(axes),
        *marks,
        (
            f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 10}" text-anchor="middle">'
            "height and width of the input, 3→64 channels</text>"
        ),
        *lines,
        "</svg>",
    ]
    return "\n".join(parts)


def _axes(shown: Sequence[Row], timed: Sequence[Row]) -> _Axes:
    values = [value for row in timed for value in (row.forward or 0, row.backward or 0)]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    sizes = [row.size for row in shown]
    return _Axes(
        first=math.log(min(sizes)), last=math.log(max(sizes)), low=low, high=max(high, low + 1)
    )


def _grid(axes: _Axes) -> Iterator[str]:
    for power in range(axes.low, axes.high + 1):
        at = axes.y(10.0**power)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'
        yield f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{10.0**power:g} ms</text>'


def _mark(axes: _Axes, row: Row) -> Iterator[str]:
    at = axes.x(row.size)
    if row.size == suite.FIRST_HANG:
        yield f'<line class="hang" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{FOOT}"/>'
        yield f'<text x="{at + 6:.1f}" y="{TOP + 10}">44×44: where the old report hung</text>'
    if row.size in LABELLED:
        yield f'<text x="{at:.1f}" y="{FOOT + 18}" text-anchor="middle">{row.size}</text>'
    if row.status == "failed":
        yield f'<text class="bad" x="{at:.1f}" y="{FOOT - 6}" text-anchor="middle">×</text>'


def _line(axes: _Axes, timed: Sequence[Row], name: str, kind: str, below: int) -> Iterator[str]:
    points = [(axes.x(row.size), axes.y(getattr(row, name))) for row in timed]
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    yield f'<polyline class="{kind}" points="{path}"/>'
    for a, b in points:
        yield f'<circle class="{kind}" cx="{a:.1f}" cy="{b:.1f}" r="3.5"/>'
    a, b = points[-1]
    aside, anchor = (8, "start") if a < WIDTH / 2 else (-8, "end")
    yield (
        f'<text class="{kind}" x="{a + aside:.1f}" y="{b + below:.1f}"'
        f' text-anchor="{anchor}">{name}</text>'
    )
