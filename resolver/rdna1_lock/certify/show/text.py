"""A report for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rdna1_lock.certify.show.summary import (
    ablation_words,
    card_words,
    headline,
    milliseconds,
    rows,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rdna1_lock.certify.proof.verdict import Judgement
    from rdna1_lock.certify.show.summary import Row


def as_text(report: Mapping[str, Any], found: Judgement) -> str:
    """Return the table for a terminal; its first word is the verdict."""
    lines = [
        headline(found, stopped=bool(report["stopped"])),
        f"  {card_words(report)}, kernel {report['host']['kernel']}",
    ]
    lines += [f"  {reason}" for reason in found.rehearsal]
    if report["stopped"]:
        lines.append(f"  stopped: {report['stopped']}")
    lines += ["", f"{'case':22} {'first':>8} {'forward':>8} {'backward':>8} {'error':>6}  result"]
    for row in rows(report, found):
        mark = " <- hung in the old report" if row.key == "1x3x44-64" else ""
        lines.append(
            f"{row.label:22} {milliseconds(row.first):>8} {milliseconds(row.forward):>8}"
            f" {milliseconds(row.backward):>8} {_error(row):>6}  {row.words}{mark}"
        )
    lines.append(
        "times in ms: first call with backward, then warm medians; errors up to 8 are allowed"
    )
    for name in found.failed:
        if not name.startswith("conv2d/"):
            lines.append(f"failed: {name}: {found.reasons[name]}")
    lines += [f"{fact.name} {fact.value}" for fact in ablation_words(report)]
    return "\n".join(lines)


def _error(row: Row) -> str:
    return "" if row.error is None else f"{row.error:.2f}"
