"""Two reports compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rdna1_lock.certify.proof.strictjson import get

if TYPE_CHECKING:
    from collections.abc import Mapping


def compare_reports(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return what differs between two reports: the environment first, then the times.

    Times are ratios other / one of the warm forward and backward passes, by case.
    """
    left, right = _flat(one), _flat(other)
    differ = {
        key: [left.get(key), right.get(key)]
        for key in sorted(left.keys() | right.keys())
        if left.get(key) != right.get(key)
    }
    ratios = {
        name: found
        for name, entry in one["cases"].items()
        if (found := _ratios(_times(entry), _times(other["cases"].get(name))))
    }
    return {"verdicts": [one["verdict"], other["verdict"]], "differ": differ, "ratios": ratios}


def _times(entry: Any) -> Mapping[str, float]:
    found: Mapping[str, float] = get(entry, "measured", "time") or {}
    return found


def _ratios(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {
        key: round(after[key] / before[key], 3)
        for key in ("warm_forward", "warm_backward")
        if before.get(key) and after.get(key)
    }


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


def as_text(found: Mapping[str, Any], names: tuple[str, str]) -> str:
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
