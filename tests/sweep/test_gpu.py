"""The worker on a real GPU, whichever torch can use: exact, timed, and a kernel that never ends."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from rdna1_lock.certify.proof.judge import judge
from rdna1_lock.certify.run import suite
from rdna1_lock.certify.run import sweep as sweep_module
from rdna1_lock.certify.run.plan import Plan
from rdna1_lock.certify.run.suite import ID, cases
from rdna1_lock.certify.run.sweep import Sweep
from rdna1_lock.guard.outcome import Outcome
from rdna1_lock.guard.patience import BUDGET, Patience
from support.evidence import LOCK

pytestmark = [pytest.mark.gpu, pytest.mark.slow]
PYTHON = os.environ.get("RDNA1_LOCK_GPU_PYTHON", sys.executable)
FAULTY = Path(__file__).parents[1] / "support" / "faulty_worker.py"
PATIENCE = Patience(budget={**BUDGET, "first": 20, "warm": 20}, evidence=1.0, term=3.0, kill=5.0)


def test_all_cases_are_exact(run, tmp_path):
    lock = tmp_path / "lock"
    shutil.copytree(LOCK.parent, lock)
    command = ["certify", lock, "--python", PYTHON, "--rehearse", "--device", "gpu"]
    result = run(*command)
    out = os.environ.get("OUT")
    for name in ("report.json", "report.html", "certificate.json"):
        if out and (lock / name).exists():
            shutil.copyfile(lock / name, Path(out) / name)
    report = json.loads((lock / "report.json").read_text())
    found = judge(report, suite.digests(), report["environment"]["variables"], vision=False)
    failed = [name for name in found.failed if name.startswith(("conv2d/", "shared"))]
    assert failed == [], result.out
    assert report["device"]["kind"] in {"cuda", "hip"}
    assert report["device"]["slot"] is not None
    for entry in report["cases"].values():
        times = entry["measured"]["time"]
        assert 0 < times["warm_forward"] < 0.1
        assert 0 < times["warm_backward"] < 0.1


def plan(*shapes: tuple[int, int, int, int]) -> Plan:
    chosen = tuple(case for case in cases() if case.shape in shapes)
    return Plan(
        python=Path(PYTHON),
        environ=os.environ,
        variables={},
        cases=chosen,
        seed=ID,
        device="gpu",
        patience=PATIENCE,
    )


def use_fault(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """Have the sweep's workers do one thing wrong."""
    monkeypatch.setattr(sweep_module, "WORKER", FAULTY)
    monkeypatch.setattr(
        sweep_module.Sweep,
        "_convolutions",
        lambda self, chosen: {
            "kind": "convolutions",
            "cases": [case.to_task() for case in chosen],
            "warm": 2,
            "fault": fault,
        },
    )


def test_a_kernel_that_never_ends_is_survived(monkeypatch):
    """In the one case it is recorded with its stack, and the sweep goes on with the next."""
    use_fault(monkeypatch, "endless kernel at 44")
    made = plan((1, 3, 64, 42), (1, 3, 64, 44), (1, 3, 64, 48))
    started = time.monotonic()
    sweep = Sweep(made)
    monkeypatch.setattr(sweep, "_look_closer", lambda log: None)
    evidence = sweep.run()
    taken = time.monotonic() - started
    outcomes = {name: record.outcome for name, record in evidence.isolated.items()}
    print(json.dumps({name: one.value for name, one in outcomes.items()}), f"{taken:.1f} s")
    hung = [record for record in evidence.isolated.values() if record.outcome is Outcome.HANG]
    assert outcomes["conv2d/1x3x42-64/find"] is Outcome.DONE
    assert [record.name for record in hung] == [
        "conv2d/1x3x44-64/immediate",
        "conv2d/1x3x44-64/find",
    ]
    for record in hung:
        print(record.killed_with, record.hang["states"], record.stacks[:600])
        assert record.phase == "first"
        assert "synchronize" in record.stacks
        assert "sweep_conv.py" in record.stacks
    # Two in a row: it stops by its own rule, and says so.
    assert outcomes["conv2d/1x3x48-64/immediate"] is Outcome.NOT_RUN
    assert "2 hangs in a row" in str(evidence.stopped)


def test_the_sweep_goes_on_after_one_hang(monkeypatch):
    use_fault(monkeypatch, "endless kernel at 44 find")
    sweep = Sweep(plan((1, 3, 64, 42), (1, 3, 64, 44), (1, 3, 64, 48)))
    monkeypatch.setattr(sweep, "_look_closer", lambda log: None)
    evidence = sweep.run()
    assert [record.outcome.value for record in evidence.isolated.values()] == [
        *("done", "done", "done", "hang", "done", "done")
    ]
    # One process for all hangs there as well, and what came before is kept.
    assert evidence.shared.outcome is Outcome.HANG
    assert len(evidence.shared.cases) == 3


@pytest.mark.parametrize("fault", ["tf32 for real", "last element zeroed", "stale memory"])
def test_faults_on_the_device_are_caught(fault: str, monkeypatch):
    monkeypatch.setattr(sweep_module, "WORKER", FAULTY)
    made = plan((1, 3, 64, 128))
    sweep = Sweep(made)
    task = {**sweep._convolutions(made.cases), "fault": fault}
    record = sweep._worker("fault", task)
    assert record.outcome is Outcome.DONE, record.stderr
    wrong = []
    for measured in record.cases:
        report = {"cases": {measured["id"]: {"outcome": "done", "measured": measured}}}
        found = judge(report, suite.digests(), {}, vision=False)
        wrong += [name for name in found.failed if name.startswith("conv2d/")]
    assert wrong
