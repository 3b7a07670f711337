"""``--deep``: start torch as the user would, in a worker that may hang, and ask what it loaded."""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from rdna1_lock.guard.outcome import HANGS, Outcome
from rdna1_lock.guard.patience import Patience
from rdna1_lock.guard.runner import WORKER, run_worker
from rdna1_lock.rules.finding import Finding, make_finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdna1_lock.audit.subject import Subject
    from rdna1_lock.guard.outcome import Record
    from rdna1_lock.rules import RuleSet

BUDGET = {"spawn": 30.0, "import": 120.0, "device": 60.0, "first": 30.0, "teardown": 20.0}
# What torch and HIP print, and the rule that it speaks of.
SYMPTOMS = (
    ("executable stack", "R01"),
    ("hipErrorNoBinaryForGpu", "R06"),
    ("invalid device function", "R06"),
    ("Unable to open /dev/kfd", "R16"),
    ("ModuleNotFoundError", "R24"),
    ("MEMORY_APERTURE_VIOLATION", "R07"),
    ("Memory access fault", "R07"),
)
OWN = ("libMIOpen", "libamdhip64", "libhsa-runtime64", "librocblas", "libamd_comgr")


def check_deep(subject: Subject, rules: RuleSet) -> Iterator[Finding]:
    """Yield what only a running torch shows; with the variables that it would have now."""
    if subject.interpreter is None:
        return
    record = run_worker(
        [subject.interpreter, "-B", str(WORKER)],
        "audit",
        {"kind": "numpy", "device": "auto"},
        dict(os.environ),
        patience=Patience(budget=BUDGET),
    )
    where = f"{subject.label}, running"
    if record.outcome is not Outcome.DONE:
        yield _not_started(record, rules, where)
    result = record.result or {}
    yield from _foreign(result, rules, where)
    device = result.get("device") or {}
    if result and not device.get("hip"):
        yield make_finding(
            rules.by_id["R03"], seen="torch.version.hip is None in the running torch", where=where
        )
    steps = (result.get("numpy") or {}).get("steps") or {}
    broken = [f"{name}: {told}" for name, told in steps.items() if told != "ok"]
    if broken:
        yield make_finding(rules.by_id["R05"], seen="; ".join(broken)[:300], where=where)


def _not_started(record: Record, rules: RuleSet, where: str) -> Finding:
    text = f"{record.error or ''}\n{record.stderr}"
    rule = next((rule for words, rule in SYMPTOMS if words in text), "R27")
    if record.outcome in HANGS:
        seen = (
            f"torch hangs in phase {record.phase} ({record.hang['waited'] if record.hang else 0} s)"
        )
    else:
        last = record.error or (record.stderr.strip().splitlines() or [record.outcome.value])[-1]
        seen = f"torch does not start: {last[:200]}"
    return make_finding(rules.by_id[rule], seen=seen, where=where)


def _foreign(result: dict[str, Any], rules: RuleSet, where: str) -> Iterator[Finding]:
    """R09 as it is: libraries that were mapped from outside torch/lib."""
    libraries = result.get("libraries") or {}
    outside = [
        path
        for name, path in sorted(libraries.items())
        if name.startswith(OWN) and "/torch/lib" not in str(PurePath(path).parent)
    ]
    if outside:
        yield make_finding(
            rules.by_id["R09"],
            seen=f"loaded from outside torch/lib: {', '.join(outside)}",
            where=where,
            commands=(("shell", "unset LD_LIBRARY_PATH LD_PRELOAD"),),
        )
