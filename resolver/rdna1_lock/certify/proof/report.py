"""``report.json``: the facts of a sweep, without names and paths of the machine."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from rdna1_lock import __version__
from rdna1_lock.certify.proof.judge import judge
from rdna1_lock.certify.proof.strictjson import sha256
from rdna1_lock.certify.run import suite
from rdna1_lock.guard.environment import INHERITED
from rdna1_lock.guard.outcome import LATE, Outcome, Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rdna1_lock.certify.proof.scrub import Scrubber
    from rdna1_lock.certify.proof.verdict import Judgement
    from rdna1_lock.certify.run.plan import Plan
    from rdna1_lock.certify.run.records import SweepRecords
    from rdna1_lock.host.gpus import Gpu
    from rdna1_lock.host.system import Host
    from rdna1_lock.lock.model import Lock

SCHEMA = 1


def build_report(
    *,
    lock: Lock,
    lock_bytes: bytes,
    plan: Plan,
    records: SweepRecords,
    host: Host,
    card: Gpu | None,
    environment: Mapping[str, Any],
    challenge: str | None,
    rehearsal: bool,
    expected: Mapping[str, Mapping[str, str]],
    scrub: Scrubber,
) -> tuple[dict[str, Any], Judgement]:
    """Return the report and its judgement; ``verdict`` is its first key."""
    probe = records.probe.result if records.probe else None
    facts: dict[str, Any] = {
        "schema": SCHEMA,
        "tool": f"rdna1-lock {__version__}",
        "started": _now(records.seconds),
        "seconds": records.seconds,
        "rehearsal": rehearsal,
        "suite": {
            "id": suite.ID,
            "sha256": suite.suite_digest(),
            "worker": suite.worker_digest(),
            "challenge": challenge,
            "quick": plan.quick,
            "cases": [case.id for case in plan.cases],
        },
        "lock": _lock(lock, lock_bytes),
        "environment": {
            **environment,
            "variables": dict(sorted(plan.variables.items())),
            "inherited": list(INHERITED),
            "visible_device": plan.visible,
        },
        "host": _host(host),
        "hardware": {
            "selected": card.slot if card else None,
            "gpus": [asdict(gpu) for gpu in host.gpus],
        },
        "device": probe["device"] if probe else None,
        "libraries": _libraries(records),
        "stopped": records.stopped,
        "kernel_log": {
            "readable": records.kernel_log_readable,
            "lines": records.kernel_lines,
        },
        "cases": {name: _single(record) for name, record in records.isolated.items()},
        "shared": _several(records.shared),
        "numpy": _extra(records.numpy, "numpy"),
        "vision": _extra(records.vision, "vision") if plan.vision else None,
        "control": _several(records.control),
        "solvers": {**_ending(records.solvers), **records.solver_log},
        "ablation": {name: _several(record) for name, record in records.ablation.items()},
    }
    facts = scrub.all(facts)
    found = judge(facts, expected, lock.env, vision=plan.vision)
    return {"verdict": found.verdict.value, **facts}, found


def has_vision(lock: Lock) -> bool:
    """Say whether torchvision is locked."""
    return any(str(package.name) == "torchvision" for package in lock.packages)


def _now(seconds: float) -> str:
    began = datetime.now(timezone.utc).timestamp() - seconds
    moment = datetime.fromtimestamp(began, timezone.utc).replace(microsecond=0)
    return moment.isoformat().replace("+00:00", "Z")


def _lock(lock: Lock, lock_bytes: bytes) -> dict[str, Any]:
    return {
        "sha256": sha256(lock_bytes),
        "stack": lock.inputs.stack,
        "python": str(lock.inputs.target.python),
        "platform": lock.inputs.target.platform,
        "packages": {str(package.name): str(package.version) for package in lock.packages},
    }


def _host(host: Host) -> dict[str, Any]:
    return {
        "kernel": host.kernel,
        "kernel_series": host.kernel_series,
        "machine": host.machine,
        "libc": host.libc,
        "system": host.system,
        "processor": host.processor,
        "container": host.container,
        "system_rocm": host.rocm,
        "driver_loaded": host.driver_loaded,
        "amdgpu": dict(host.parameters),
        "devices": [asdict(device) for device in host.devices],
    }


def _libraries(records: SweepRecords) -> dict[str, str]:
    """Return the libraries that were mapped after convolutions, as the last worker saw them."""
    found: dict[str, str] = {}
    for record in (records.probe, *records.isolated.values(), records.shared):
        if record is not None and record.result is not None:
            found = record.result.get("libraries") or found
    return found


def _ending(record: Record | None) -> dict[str, Any]:
    """Return how a worker ended, with the evidence if it did not end well."""
    if record is None:
        return {"outcome": Outcome.NOT_RUN.value}
    kept: dict[str, Any] = {"outcome": record.outcome.value, "seconds": record.seconds}
    if record.outcome is Outcome.DONE:
        return kept
    kept |= {"phase": record.phase, "case": record.case, "why": record.why, "error": record.error}
    if record.outcome is Outcome.NOT_RUN:
        return kept
    return kept | {
        "exit": list(record.exit) if record.exit else None,
        "killed_with": record.killed_with,
        "hang": record.hang,
        "left_behind": list(record.left_behind),
        "survivor": list(record.survivor),
        "stacks": record.stacks,
        "stderr": record.stderr,
    }


def _single(record: Record) -> dict[str, Any]:
    kept = _ending(record)
    if record.outcome is Outcome.DONE or record.outcome in LATE:
        kept["measured"] = record.cases[0] if record.cases else None
    return kept


def _several(record: Record | None) -> dict[str, Any]:
    kept = _ending(record)
    if record is not None:
        kept["cases"] = {str(case.get("id")): case for case in record.cases}
    return kept


def _extra(record: Record | None, key: str) -> dict[str, Any]:
    result = record.result if record is not None else None
    return {**_ending(record), **((result or {}).get(key) or {})}


def card_of(report: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the card that a report is about, as the kernel described it."""
    hardware = report["hardware"]
    for gpu in hardware["gpus"]:
        if gpu["slot"] == hardware["selected"]:
            found: Mapping[str, Any] = gpu
            return found
    return {}
