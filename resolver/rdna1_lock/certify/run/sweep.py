"""Run the workers of a sweep in order, and stop when the card no longer answers."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdna1_lock.certify.run.kernel_log import KernelLog
from rdna1_lock.certify.run.miopen_log import MiopenLog
from rdna1_lock.certify.run.records import SweepRecords
from rdna1_lock.certify.run.suite import WARM
from rdna1_lock.guard.environment import worker_environment
from rdna1_lock.guard.native_stacks import find_py_spy
from rdna1_lock.guard.outcome import HANGS, Outcome, Record
from rdna1_lock.guard.patience import Patience
from rdna1_lock.guard.process import become_subreaper
from rdna1_lock.guard.runner import WORKER, run_worker
from rdna1_lock.guard.survivors import Survivors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rdna1_lock.certify.run.plan import Plan
    from rdna1_lock.certify.run.suite import Case
    from rdna1_lock.guard.activity import Activity

STOP_AFTER = 2
PROBE_BUDGET = {"spawn": 60.0, "import": 180.0, "device": 20.0, "teardown": 20.0}
LOUD = {"MIOPEN_LOG_LEVEL": "6", "MIOPEN_ENABLE_LOGGING_CMD": "1"}


class Sweep:
    """One run of the suite.

    ``running`` is called about once a second with what a worker is doing, ``ended`` with each
    record. An exception that either raises ends the worker and the sweep.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        running: Callable[[Activity], None] = lambda _: None,
        ended: Callable[[Record], None] = lambda _: None,
    ) -> None:
        self.plan, self.running, self.ended = plan, running, ended
        self.records = SweepRecords()
        self._survivors = Survivors()
        self._py_spy = find_py_spy(plan.environ)
        self._streak = 0
        self._caches = Path()

    def run(self) -> SweepRecords:
        """Run everything in the plan; returns whatever the workers do."""
        become_subreaper()
        started = time.monotonic()
        log = KernelLog()
        self.records.kernel_log_readable = log.readable
        self._caches = Path(tempfile.mkdtemp(prefix="rdna1-lock-certify-"))
        try:
            self._run(log)
        finally:
            self._survivors.reap()
            log.close()
            shutil.rmtree(self._caches, ignore_errors=True)
            self.records.seconds = round(time.monotonic() - started, 1)
        return self.records

    def _run(self, log: KernelLog) -> None:
        plan, found = self.plan, self.records
        found.probe = self._probe()
        if found.probe.outcome is not Outcome.DONE:
            found.stopped = f"torch does not start: {_why(found.probe)}"
        for case in () if plan.quick else plan.cases:
            if found.stopped:
                record = Record(name=case.id, outcome=Outcome.NOT_RUN, why=found.stopped)
            else:
                record = self._worker(case.id, self._convolutions((case,)))
                self._after(record, log)
            found.isolated[case.id] = record
        found.shared = self._leg("shared process", self._convolutions(plan.cases), log)
        found.numpy = self._leg("numpy round trip", {"kind": "numpy"}, log)
        if plan.vision:
            found.vision = self._leg("torchvision nms", {"kind": "vision"}, log)
        self._look_closer(log)

    def _look_closer(self, log: KernelLog) -> None:
        """Run what explains and decides nothing: without MIOpen, with its log, without variables."""
        plan, found = self.plan, self.records
        seed_shape = tuple(case for case in plan.cases if case.shape[1] == 3)
        control = self._convolutions(tuple(c for c in seed_shape if c.route == "immediate"))
        found.control = self._leg("without MIOpen", {**control, "backend": False}, log)
        loud = MiopenLog()
        quiet = {**self._convolutions(plan.cases), "warm": 0}
        found.solvers = self._leg("solvers", quiet, log, more=LOUD, on_stderr=loud.feed)
        found.solver_log = loud.to_json()
        if plan.ablate:
            for name in sorted(plan.variables):
                task = self._convolutions(plan.cases)
                found.ablation[name] = self._leg(f"without {name}", task, log, without=name)

    def _convolutions(self, cases: tuple[Case, ...]) -> dict[str, Any]:
        listed = [case.to_task() for case in cases]
        return {"kind": "convolutions", "cases": listed, "warm": WARM}

    def _leg(self, name: str, task: Mapping[str, Any], log: KernelLog, **more: Any) -> Record:
        if self.records.stopped:
            return Record(name=name, outcome=Outcome.NOT_RUN, why=self.records.stopped)
        record = self._worker(name, task, **more)
        self._after(record, log)
        return record

    def _after(self, record: Record, log: KernelLog) -> None:
        """Apply the stop rules: no case may run on a card that no longer answers."""
        found = self.records
        news = log.news()
        found.kernel_lines = [*found.kernel_lines, *news][:50]
        self._streak = self._streak + 1 if record.outcome in HANGS else 0
        if record.outcome is Outcome.HANG_UNKILLABLE:
            found.stopped = f"{record.name} survived SIGKILL"
        elif self._streak >= STOP_AFTER:
            found.stopped = f"{self._streak} hangs in a row, the last in {record.name}"
        elif news and record.outcome is not Outcome.DONE:
            found.stopped = f"the kernel reported a hang of the card after {record.name}"
        elif record.outcome is not Outcome.DONE:
            again = self._probe()
            if again.outcome is not Outcome.DONE:
                found.stopped = f"the device does not answer after {record.name}"

    def _probe(self) -> Record:
        """Add two numbers on the device, in a process of its own with short budgets."""
        budget = {**self.plan.patience.budget, **PROBE_BUDGET}
        patience = Patience(
            budget={name: min(budget[name], self.plan.patience.of(name)) for name in budget},
            evidence=self.plan.patience.evidence,
            term=self.plan.patience.term,
            kill=self.plan.patience.kill,
            heartbeat=self.plan.patience.heartbeat,
        )
        return self._worker("probe", {"kind": "probe"}, patience=patience)

    def _worker(
        self,
        name: str,
        task: Mapping[str, Any],
        *,
        more: Mapping[str, str] | None = None,
        without: str | None = None,
        patience: Patience | None = None,
        on_stderr: Callable[[bytes], None] = lambda _: None,
    ) -> Record:
        plan = self.plan
        variables = {key: value for key, value in plan.variables.items() if key != without}
        caches = Path(tempfile.mkdtemp(dir=self._caches))
        env = worker_environment(
            {**variables, **(more or {})}, caches, environ=plan.environ, visible=plan.visible
        )
        record = run_worker(
            [str(plan.python), "-I", "-B", str(WORKER)],
            name,
            {**task, "device": plan.device, "seed": plan.seed},
            env,
            patience=patience or plan.patience,
            running=self.running,
            on_stderr=on_stderr,
            survivors=self._survivors,
            py_spy=self._py_spy,
        )
        shutil.rmtree(caches, ignore_errors=True)
        self.ended(record)
        return record


def _why(record: Record) -> str:
    if record.error:
        return record.error
    if record.outcome in HANGS:
        return f"{record.outcome.value} in phase {record.phase}"
    last = record.stderr.strip().splitlines()[-1:] or [""]
    return f"{record.outcome.value} {last[0]}".strip()
