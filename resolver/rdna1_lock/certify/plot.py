"""Time against size as an SVG, logarithmic on both axes. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rdna1_lock.certify import suite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rdna1_lock.certify.summary import Row

WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 34, 48
# Name, attribute of the row, class, and where the name stands from the last point.
SERIES = (("forward", "f", 20), ("backward", "b", -10))


def time_plot(rows: Sequence[Row]) -> str | None:
    """Draw the warm times of 3→64 on the route that PyTorch takes by default.

    None where fewer than two sizes have times. Failed sizes are marked at the foot.
    """
    shown = [row for row in rows if row.key.startswith("1x3x")]
    timed = [row for row in shown if row.forward and row.backward]
    if len(timed) < 2:
        return None
    values = [value for row in timed for value in (row.forward or 0, row.backward or 0)]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)
    sizes = [row.size for row in shown]
    first, last = math.log(min(sizes)), math.log(max(sizes))

    def x(size: int) -> float:
        return LEFT + (math.log(size) - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        share = (math.log10(value) - low) / (high - low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Time of a convolution by size">',
    ]
    for power in range(low, high + 1):
        at = y(10.0**power)
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'
        )
        parts.append(
            f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{10.0**power:g} ms</text>'
        )
    foot = HEIGHT - BOTTOM
    shown_labels = {32, 44, 64, 128, 224, 512}
    for row in shown:
        at = x(row.size)
        if row.size == suite.FIRST_HANG:
            parts.append(f'<line class="hang" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{foot}"/>')
            parts.append(
                f'<text x="{at + 6:.1f}" y="{TOP + 10}">44×44: where the old report hung</text>'
            )
        if row.size in shown_labels:
            parts.append(
                f'<text x="{at:.1f}" y="{foot + 18}" text-anchor="middle">{row.size}</text>'
            )
        if row.status == "failed":
            parts.append(
                f'<text class="bad" x="{at:.1f}" y="{foot - 6}" text-anchor="middle">×</text>'
            )
    parts.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 10}" text-anchor="middle">'
        "height and width of the input, 3→64 channels</text>"
    )
    for name, kind, below in SERIES:
        points = [(x(row.size), y(getattr(row, name))) for row in timed]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        parts.append(f'<polyline class="{kind}" points="{path}"/>')
        parts += [f'<circle class="{kind}" cx="{a:.1f}" cy="{b:.1f}" r="3.5"/>' for a, b in points]
        a, b = points[-1]
        aside, anchor = (8, "start") if a < WIDTH / 2 else (-8, "end")
        parts.append(
            f'<text class="{kind}" x="{a + aside:.1f}" y="{b + below:.1f}" text-anchor="{anchor}">{name}</text>'
        )
    return "\n".join([*parts, "</svg>"])
