"""What only a running torch shows: R27, and other rules by what it prints or has loaded."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from rdna1_lock.audit.checks.libraries import LEAKS
from rdna1_lock.audit.registry import INSTALLED, subject_check
from rdna1_lock.guard.outcome import HANGS, Outcome
from rdna1_lock.rules.finding import Finding, Place, make_finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdna1_lock.audit.observed import Observed
    from rdna1_lock.guard.outcome import Record


@subject_check("R27", "R01", "R06", "R07", "R16", "R24", scopes=INSTALLED)
def not_started(observed: Observed) -> Iterator[Finding]:
    """Find a torch that does not start, with the rule that its messages belong to."""
    record = observed.started
    if record is None or record.outcome is Outcome.DONE:
        return
    text = f"{record.error or ''}\n{record.stderr}"
    rules = observed.rules
    rule = next(
        (rule for rule in rules.rules if any(words in text for words in rule.messages)),
        rules.by_id["R27"],
    )
    yield make_finding(rule, seen=_ending(record), where=_place(observed))


def _ending(record: Record) -> str:
    if record.outcome in HANGS:
        waited = record.hang["waited"] if record.hang else 0
        return f"torch hangs in phase {record.phase} ({waited} s)"
    last = record.error or (record.stderr.strip().splitlines() or [record.outcome.value])[-1]
    return f"torch does not start: {last[:200]}"


@subject_check("R09", scopes=INSTALLED)
def loaded_from_outside(observed: Observed) -> Iterator[Finding]:
    """Find libraries that were mapped from outside torch/lib."""
    known, rule = LEAKS.of(observed.rules), observed.rules.by_id["R09"]
    libraries = _result(observed).get("libraries") or {}
    outside = [
        path
        for name, path in sorted(libraries.items())
        if name.startswith(known.libraries) and "/torch/lib" not in str(PurePath(path).parent)
    ]
    if outside:
        yield make_finding(
            rule,
            seen=f"loaded from outside torch/lib: {', '.join(outside)}",
            where=_place(observed),
            commands=(rule.command("unset", variables=(known.search, known.preload)),),
        )


@subject_check("R03", scopes=INSTALLED)
def started_without_hip(observed: Observed) -> Iterator[Finding]:
    """Find a torch that was not built for ROCm, by its own word."""
    result = _result(observed)
    if result and not (result.get("device") or {}).get("hip"):
        yield make_finding(
            observed.rules.by_id["R03"],
            seen="torch.version.hip is None in the running torch",
            where=_place(observed),
        )


@subject_check("R05", scopes=INSTALLED)
def arrays_do_not_pass(observed: Observed) -> Iterator[Finding]:
    """Find arrays that do not pass between numpy and torch."""
    steps = (_result(observed).get("numpy") or {}).get("steps") or {}
    broken = [f"{name}: {outcome}" for name, outcome in steps.items() if outcome != "ok"]
    if broken:
        yield make_finding(
            observed.rules.by_id["R05"], seen="; ".join(broken)[:300], where=_place(observed)
        )


def _result(observed: Observed) -> dict[str, Any]:
    return (observed.started.result if observed.started is not None else None) or {}


def _place(observed: Observed) -> Place:
    label = observed.subject.label
    return Place(path=label, package="torch", label=f"{label}, running")
