"""From evidence to verdict, and the only way to one: a stored verdict is never believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rdna1_lock.certify.proof.measurement import judge_measured
from rdna1_lock.certify.proof.strictjson import get
from rdna1_lock.certify.proof.verdict import Judgement, Verdict
from rdna1_lock.certify.run import suite
from rdna1_lock.guard.outcome import LATE, Outcome
from rdna1_lock.rules import load_gpus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Expected = Mapping[str, Mapping[str, str]]

LEGS = {"forward": ("y",), "backward": ("dx", "dw", "db")}
LATE_WORDS = tuple(item.value for item in LATE)
SHOWN = 6


class _Tally:
    def __init__(self) -> None:
        self.tests: dict[str, str] = {}
        self.reasons: dict[str, str] = {}

    def add(self, name: str, problems: list[str], *, warnings: list[str] | None = None) -> None:
        self.tests[name] = "failed" if problems else "warned" if warnings else "passed"
        if problems or warnings:
            self.reasons[name] = "; ".join(problems or warnings or [])

    def of(self, status: str) -> tuple[str, ...]:
        return tuple(name for name, found in self.tests.items() if found == status)


def judge(
    report: Mapping[str, Any],
    expected: Expected,
    variables: Mapping[str, str],
    *,
    vision: bool,
) -> Judgement:
    """Judge a report; ``expected`` are the right digests by shape, ``variables`` the lock's.

    ``vision`` says whether the lock holds torchvision. Evidence of any form is judged: what is
    missing or has the wrong type fails.
    """
    tally = _Tally()
    tally.add("hardware/rdna1-through-kfd", _hardware(report))
    tally.add("environment/exactly-the-lock", _environment(report))
    used = get(report, "environment", "variables")
    differ = [] if used == dict(variables) else ["the variables are not those of the lock"]
    tally.add("environment/variables-of-the-lock", differ)
    rehearsal = [tally.reasons[name] for name in tally.of("failed")]
    if get(report, "rehearsal"):
        rehearsal.append("it was requested as a rehearsal")
        tally.add("environment/not-a-rehearsal", ["it was requested as a rehearsal"])
    suspended = _isolated(report, tally, expected)
    tally.add("shared-process/all-cases", _shared(report, expected))
    tally.add("numpy/round-trip", _numpy(report))
    if vision:
        tally.add("torchvision/nms", _vision(report))
    return Judgement(
        verdict=_verdict(tally, rehearsal=bool(rehearsal), suspended=suspended),
        passed=tally.of("passed"),
        warned=tally.of("warned"),
        failed=tally.of("failed"),
        reasons=tally.reasons,
        rehearsal=tuple(rehearsal),
    )


def _verdict(tally: _Tally, *, rehearsal: bool, suspended: bool) -> Verdict:
    """Decide by the strongest reason.

    A run that cannot certify is a rehearsal, whatever else happened. While a machine sleeps, time
    limits expire for no fault of the card, so a failure then proves nothing. A partial run has
    passed as far as it went.
    """
    failed = set(tally.of("failed"))
    if rehearsal:
        return Verdict.REHEARSAL
    if suspended:
        return Verdict.INCONCLUSIVE
    if failed - {"suite/complete"}:
        return Verdict.FAILED
    return Verdict.PARTIAL if failed else Verdict.CERTIFIED


def _hardware(report: Mapping[str, Any]) -> list[str]:
    """Say why the convolutions did not verifiably run on an RDNA1 card.

    The card is the kernel's (sysfs, KFD): HSA_OVERRIDE_GFX_VERSION changes what the runtime
    believes, not amdkfd's ``gfx_target_version``. The device that computed is torch's, whose name and
    architecture the override changes; only its PCI slot ties one to the other. Where the runtime
    does not report the slot, a single GPU in KFD can only be that one.
    """
    slot = get(report, "hardware", "selected")
    gpus = _gpus(report)
    if slot is None or _version(gpus, slot) not in load_gpus().versions:
        return ["the kernel (sysfs and KFD) shows no RDNA1 card"]
    kind = get(report, "device", "kind")
    if kind != "hip":
        return [f"the convolutions ran on {kind or 'nothing'}, not through HIP"]
    used = get(report, "device", "slot")
    only_one = sum(gpu.get("index") is not None for gpu in gpus) == 1
    if used == slot or (used is None and only_one):
        return []
    return [f"the convolutions ran on the card in slot {used}, not on {slot}"]


def _version(gpus: list[dict[str, Any]], slot: Any) -> int | None:
    found = next((gpu.get("gfx_target_version") for gpu in gpus if gpu.get("slot") == slot), None)
    return found if isinstance(found, int) else None


def _gpus(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    listed = get(report, "hardware", "gpus")
    return [gpu for gpu in listed if isinstance(gpu, dict)] if isinstance(listed, list) else []


def _environment(report: Mapping[str, Any]) -> list[str]:
    if get(report, "environment", "exact") is True:
        return []
    why = get(report, "environment", "why")
    return [str(why or "the environment was not compared with the lock")]


def _isolated(report: Mapping[str, Any], tally: _Tally, expected: Expected) -> bool:
    """Judge each case that ran in a process of its own; returns whether the machine slept."""
    found = _object(get(report, "cases"))
    asked = _asked(report)
    absent, suspended = 0, False
    for case in suite.cases():
        entry = found.get(case.id)
        if not isinstance(entry, dict):
            absent += 1
            continue
        absent += case.id not in asked
        suspended |= entry.get("outcome") == Outcome.SUSPENDED.value
        for name, problems, warnings in _case(entry, case, expected):
            tally.add(name, problems, warnings=warnings)
    missing = f"{absent} of {len(suite.cases())} cases were not requested"
    tally.add("suite/complete", [missing] if absent else [])
    return suspended


def _case(
    entry: Mapping[str, Any], case: suite.Case, expected: Expected
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield name, problems and remarks of both passes of a case.

    A worker that failed only on its way out has delivered all its numbers: they are judged, and
    the end is a remark.
    """
    outcome = entry.get("outcome")
    late = outcome in LATE_WORDS
    for leg, tensors in LEGS.items():
        name = f"{case.id}/{leg}"
        if outcome != Outcome.DONE.value and not late:
            yield name, [_ended(entry)], []
            continue
        problems, warnings = judge_measured(entry.get("measured"), tensors, expected.get(case.key))
        yield name, problems, [*warnings, *([str(outcome)] if late else [])]


def _ended(entry: Mapping[str, Any]) -> str:
    why = entry.get("why")
    if why is not None:
        return f"not run: {why}"
    return f"{entry.get('outcome')} in phase {entry.get('phase')}"


def _asked(report: Mapping[str, Any]) -> list[Any]:
    asked = get(report, "suite", "cases")
    return asked if isinstance(asked, list) else []


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _shared(report: Mapping[str, Any], expected: Expected) -> list[str]:
    """Judge the pass in which one process runs all cases, as training does."""
    shared = get(report, "shared")
    outcome = get(shared, "outcome")
    if outcome == Outcome.NOT_RUN.value:
        return [f"not run: {get(shared, 'why')}"]
    problems = []
    if outcome != Outcome.DONE.value and outcome not in LATE_WORDS:
        problems.append(f"{outcome} in phase {get(shared, 'phase')}")
    measured = _object(get(shared, "cases"))
    asked = _asked(report)
    for case in suite.cases():
        if case.id not in asked:
            continue
        entry = measured.get(case.id)
        wrong, _ = judge_measured(entry, suite.TENSORS, expected.get(case.key))
        if wrong:
            reason = get(entry, "error") or wrong[0] if entry else "no result"
            problems.append(f"{case.id}: {reason}")
    return problems[:SHOWN]


def _numpy(report: Mapping[str, Any]) -> list[str]:
    steps = get(report, "numpy", "steps")
    if not isinstance(steps, dict) or not steps:
        return [_absent(get(report, "numpy"))]
    return [f"{name}: {outcome}" for name, outcome in sorted(steps.items()) if outcome != "ok"]


def _vision(report: Mapping[str, Any]) -> list[str]:
    # Two of the three boxes overlap by more than half, so nms keeps the better one of them.
    kept = get(report, "vision", "kept")
    if kept == [0, 2]:
        return []
    if kept is None:
        return [_absent(get(report, "vision"))]
    return [f"kept the boxes {kept}, not 0 and 2"]


def _absent(leg: Any) -> str:
    """Say why a leg has no result."""
    if get(leg, "outcome") == Outcome.NOT_RUN.value:
        return f"not run: {get(leg, 'why')}"
    return str(get(leg, "error") or get(leg, "outcome") or "did not run")
