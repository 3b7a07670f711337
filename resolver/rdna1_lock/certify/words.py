"""Certificates as text: for a terminal, as Markdown for an issue, and two of them compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rdna1_lock.certify.page import milliseconds
from rdna1_lock.certify.summary import (
    OLD_HANG,
    ablation_words,
    card_words,
    facts,
    failures,
    headline,
    rows,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rdna1_lock.certify.judge import Judgement
    from rdna1_lock.certify.summary import Row

EVIDENCE_LINES = 60


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
    lines.append("times in ms: first call with backward, then warm medians; error of 8 allowed")
    for name in found.failed:
        if not name.startswith("conv2d/"):
            lines.append(f"failed: {name}: {found.reasons[name]}")
    lines += [f"{fact.name} {fact.value}" for fact in ablation_words(report)]
    return "\n".join(lines)


def _error(row: Row) -> str:
    return "" if row.error is None else f"{row.error:.2f}"


def as_markdown(report: Mapping[str, Any], found: Judgement) -> str:
    """Return what to paste into an issue or a README; evidence of failures in full."""
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


def compare(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return what differs between two reports: the environment first, then the times.

    Times are ratios other / one of the warm forward and backward passes, by case.
    """
    left, right = _flat(one), _flat(other)
    differ = {
        key: [left.get(key), right.get(key)]
        for key in sorted(left.keys() | right.keys())
        if left.get(key) != right.get(key)
    }
    ratios = {}
    for name, entry in one["cases"].items():
        before = ((entry.get("measured") or {}).get("time")) or {}
        after = (((other["cases"].get(name) or {}).get("measured") or {}).get("time")) or {}
        found = {
            key: round(after[key] / before[key], 3)
            for key in ("warm_forward", "warm_backward")
            if before.get(key) and after.get(key)
        }
        if found:
            ratios[name] = found
    return {"verdicts": [one["verdict"], other["verdict"]], "differ": differ, "ratios": ratios}


def _flat(report: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                walk(f"{prefix}.{key}" if prefix else key, item)
        elif value is not None:
            found[prefix] = str(value)

    for part in ("lock", "environment", "host", "device", "libraries"):
        walk(part, report.get(part))
    for gpu in report["hardware"]["gpus"]:
        walk(f"card {gpu['slot']}", gpu)
    for key in ("miopen", "find_mode"):
        walk(f"solvers.{key}", report["solvers"].get(key))
    for name, chosen in (report["solvers"].get("cases") or {}).items():
        walk(f"solver {name}", chosen)
    return found


def compare_text(found: Mapping[str, Any], names: tuple[str, str]) -> str:
    """Return a comparison for a terminal."""
    lines = [f"{found['verdicts'][0]}: {names[0]}", f"{found['verdicts'][1]}: {names[1]}", ""]
    if not found["differ"]:
        lines.append("the environments are the same")
    for key, (left, right) in found["differ"].items():
        lines += [f"{key}", f"  - {left}", f"  + {right}"]
    if found["ratios"]:
        lines += ["", f"{'case':34} {'forward':>8} {'backward':>8}   (second / first)"]
    for name, ratio in found["ratios"].items():
        forward, backward = (ratio.get(key) for key in ("warm_forward", "warm_backward"))
        shown = [f"{value:.2f}" if value else "" for value in (forward, backward)]
        lines.append(f"{name:34} {shown[0]:>8} {shown[1]:>8}")
    return "\n".join(lines)
