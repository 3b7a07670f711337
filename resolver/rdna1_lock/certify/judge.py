"""From evidence to verdict. Pure, and the only way to one: a stored verdict is never believed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from rdna1_lock.certify import suite
from rdna1_lock.guard.outcome import LATE, Outcome
from rdna1_lock.rules import load_gpus

if TYPE_CHECKING:
    from collections.abc import Mapping

LEGS = {"forward": ("y",), "backward": ("dx", "dw", "db")}


class Verdict(str, Enum):
    """What a sweep comes to."""

    CERTIFIED = "certified"
    REHEARSAL = "rehearsal"
    PARTIAL = "partial"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """The verdict, each test by its name, and a reason for each that did not pass.

    ``rehearsal`` says why the run can certify nothing, whatever came out of it.
    """

    verdict: Verdict
    passed: tuple[str, ...]
    warned: tuple[str, ...]
    failed: tuple[str, ...]
    reasons: Mapping[str, str]
    rehearsal: tuple[str, ...]

    @property
    def result(self) -> str:
        """The word of in-toto's test-result predicate; only a certificate is no failure there."""
        if self.verdict is not Verdict.CERTIFIED:
            return "FAILED"
        return "WARNED" if self.warned else "PASSED"

    @property
    def sweep_passed(self) -> bool:
        """Whether all that was measured is right, wherever it was measured."""
        measured = [name for name in self.failed if not name.startswith(PREREQUISITES)]
        return not measured and bool(self.passed)


PREREQUISITES = ("hardware/", "environment/", "suite/")


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
    expected: Mapping[str, Mapping[str, str]],
    variables: Mapping[str, str],
    *,
    vision: bool,
) -> Judgement:
    """Judge a report; ``expected`` are the right digests by shape, ``variables`` the lock's.

    ``vision`` says whether the lock holds torchvision. Evidence of any form is judged: what is
    missing or of the wrong type fails.
    """
    tally = _Tally()
    tally.add("hardware/rdna1-through-kfd", _hardware(report))
    tally.add("environment/exactly-the-lock", _environment(report))
    used = _get(report, "environment", "variables")
    differ = [] if used == dict(variables) else ["the variables are not those of the lock"]
    tally.add("environment/variables-of-the-lock", differ)
    asked = _get(report, "rehearsal")
    rehearsal = [tally.reasons[name] for name in tally.of("failed")]
    if asked:
        rehearsal.append("it was asked for as a rehearsal")
        tally.add("environment/not-a-rehearsal", ["it was asked for as a rehearsal"])
    suspended = _cases(report, tally, expected)
    tally.add(*_shared(report, expected))
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
    failed = set(tally.of("failed"))
    if rehearsal:
        return Verdict.REHEARSAL
    if suspended:
        return Verdict.INCONCLUSIVE
    if failed - {"suite/complete"}:
        return Verdict.FAILED
    return Verdict.PARTIAL if failed else Verdict.CERTIFIED


def _get(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _hardware(report: Mapping[str, Any]) -> list[str]:
    """Say why the convolutions did not verifiably run on an RDNA1 card."""
    slot = _get(report, "hardware", "selected")
    gpus = _get(report, "hardware", "gpus")
    gpus = [gpu for gpu in gpus if isinstance(gpu, dict)] if isinstance(gpus, list) else []
    chosen = [gpu for gpu in gpus if slot is not None and gpu.get("slot") == slot]
    if not chosen or chosen[0].get("gfx_target_version") not in load_gpus().versions:
        return ["no RDNA1 card was found through sysfs and KFD"]
    kind = _get(report, "device", "kind")
    if kind != "hip":
        return [f"the convolutions ran on {kind or 'nothing'}, not through HIP"]
    used = _get(report, "device", "slot")
    in_kfd = [gpu for gpu in gpus if gpu.get("index") is not None]
    if used != slot and not (used is None and len(in_kfd) == 1):
        return [f"the convolutions ran on the card in slot {used}, not on {slot}"]
    return []


def _environment(report: Mapping[str, Any]) -> list[str]:
    if _get(report, "environment", "exact") is True:
        return []
    return [
        str(_get(report, "environment", "why") or "the environment was not compared with the lock")
    ]


def _cases(
    report: Mapping[str, Any], tally: _Tally, expected: Mapping[str, Mapping[str, str]]
) -> bool:
    """Judge each case that ran in a process of its own; returns whether the machine slept."""
    found = _get(report, "cases")
    found = found if isinstance(found, dict) else {}
    asked = _asked(report)
    absent, suspended = [], False
    for case in suite.cases():
        entry = found.get(case.id)
        if not isinstance(entry, dict) or case.id not in asked:
            absent.append(case.id)
        if not isinstance(entry, dict):
            continue
        outcome = entry.get("outcome")
        suspended |= outcome == Outcome.SUSPENDED.value
        late = outcome in {item.value for item in LATE}
        for leg, tensors in LEGS.items():
            name = f"{case.id}/{leg}"
            if outcome != Outcome.DONE.value and not late:
                why = entry.get("why")
                told = (
                    f"{outcome} in phase {entry.get('phase')}" if why is None else f"not run: {why}"
                )
                tally.add(name, [told])
                continue
            problems, warnings = _measured(entry.get("measured"), tensors, expected.get(case.key))
            tally.add(name, problems, warnings=[*warnings, *([str(outcome)] if late else [])])
    missing = f"{len(absent)} of {len(suite.cases())} cases were not asked for"
    tally.add("suite/complete", [missing] if absent else [])
    return suspended


def _asked(report: Mapping[str, Any]) -> list[Any]:
    asked = _get(report, "suite", "cases")
    return asked if isinstance(asked, list) else []


def _measured(
    measured: Any, tensors: tuple[str, ...], expected: Mapping[str, str] | None
) -> tuple[list[str], list[str]]:
    """Return what is wrong and what is odd about the named results of one case."""
    problems, warnings = [], []
    sums = _get(measured, "adjoint")
    if not (
        isinstance(sums, list)
        and len(sums) == 3
        and _is_number(sums[0])
        and sums.count(sums[0]) == 3
    ):
        problems.append("the adjoint identity does not hold")
    for name in tensors:
        one = _get(measured, "tensors", name)
        if _get(one, "finite") is not True:
            what = (
                "is not finite"
                if _get(one, "finite") is False
                else "is missing or of a wrong shape"
            )
            problems.append(f"{name} {what}")
            continue
        off, k, rel_l2 = (_get(one, key) for key in ("max_off", "k", "rel_l2"))
        if expected is None or _get(one, "sha256") != expected[name]:
            problems.append(f"{name} is not the exact integer result")
        if not (_is_number(off) and off < suite.OFF_MAX):
            problems.append(f"{name} is off an integer by {off}")
        if not (_is_number(k) and k <= suite.K_MAX):
            problems.append(f"{name} has an error of {k} units, more than {suite.K_MAX:g}")
        elif k > suite.K_PASS:
            warnings.append(f"{name} has an error of {k} units: a transform or reduced precision")
        if not (_is_number(rel_l2) and rel_l2 <= suite.REL_L2_MAX):
            problems.append(
                f"{name} has a relative error of {rel_l2}, more than {suite.REL_L2_MAX}"
            )
    return problems, warnings


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= -1e300


def _shared(
    report: Mapping[str, Any], expected: Mapping[str, Mapping[str, str]]
) -> tuple[str, list[str]]:
    """Judge the pass in which one process runs all cases, as training does."""
    shared = _get(report, "shared")
    outcome = _get(shared, "outcome")
    problems = []
    if outcome == Outcome.NOT_RUN.value:
        return "shared-process/all-cases", [f"not run: {_get(shared, 'why')}"]
    if outcome not in {Outcome.DONE.value, *(item.value for item in LATE)}:
        problems.append(f"{outcome} in phase {_get(shared, 'phase')}")
    measured = _get(shared, "cases")
    measured = measured if isinstance(measured, dict) else {}
    asked = _asked(report)
    for case in suite.cases():
        if case.id not in asked:
            continue
        entry = measured.get(case.id)
        wrong = _measured(entry, suite.TENSORS, expected.get(case.key))[0]
        if wrong:
            told = _get(entry, "error") or wrong[0] if entry else "no result"
            problems.append(f"{case.id}: {told}")
    return "shared-process/all-cases", problems[:6]


def _numpy(report: Mapping[str, Any]) -> list[str]:
    steps = _get(report, "numpy", "steps")
    if not isinstance(steps, dict) or not steps:
        return [_absent(_get(report, "numpy"))]
    return [f"{name}: {told}" for name, told in sorted(steps.items()) if told != "ok"]


def _vision(report: Mapping[str, Any]) -> list[str]:
    kept = _get(report, "vision", "kept")
    if kept == [0, 2]:
        return []
    if kept is None:
        return [_absent(_get(report, "vision"))]
    return [f"kept the boxes {kept}, not 0 and 2"]


def _absent(leg: Any) -> str:
    """Say why a leg has no result."""
    if _get(leg, "outcome") == Outcome.NOT_RUN.value:
        return f"not run: {_get(leg, 'why')}"
    return str(_get(leg, "error") or _get(leg, "outcome") or "did not run")
