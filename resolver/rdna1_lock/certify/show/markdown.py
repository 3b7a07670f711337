"""A report as Markdown, for an issue or a README."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rdna1_lock.certify.show.summary import (
    OLD_HANG,
    facts,
    failures,
    headline,
    milliseconds,
    rows,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rdna1_lock.certify.proof.verdict import Judgement

EVIDENCE_LINES = 60


def as_markdown(report: Mapping[str, Any], found: Judgement) -> str:
    """Return the report to paste, with the evidence of each failure."""
    text = headline(found, stopped=bool(report["stopped"]))
    lines = [f"**{text[:1].upper()}{text[1:]}**", ""]
    lines += [f"{reason[:1].upper()}{reason[1:]}.  " for reason in found.rehearsal]
    lines += ["| | |", "|---|---|"]
    lines += [f"| {fact.name} | {_cell(fact.value)} |" for fact in facts(report)]
    for name, value in report["environment"]["variables"].items():
        lines.append(f"| `{name}` | `{_cell(value)}` |")
    lines += ["", "| case | result | first ms | forward ms | backward ms | solver |"]
    lines.append("|---|---|---:|---:|---:|---|")
    for row in rows(report, found):
        times = " | ".join(milliseconds(value) for value in (row.first, row.forward, row.backward))
        lines.append(f"| {row.label} | {_cell(row.words)} | {times} | {row.solver} |")
    lines += ["", OLD_HANG]
    for name, reason, evidence in failures(report, found):
        lines += ["", f"`{name}`: {_cell(reason)}"]
        if evidence:
            kept = evidence.replace("```", "'''").splitlines()[:EVIDENCE_LINES]
            lines += ["", "```text", *kept, "```"]
    if report["kernel_log"]["lines"]:
        lines += ["", "```text", *report["kernel_log"]["lines"], "```"]
    lines += ["", f"lock sha256 `{report['lock']['sha256']}`, suite {report['suite']['id']}"]
    return "\n".join(lines) + "\n"


def _cell(value: str) -> str:
    return " ".join(str(value).replace("|", "\\|").split())
