"""What the parent of ``certify`` adds to its workers: the same workers bare and watched, in turn.

    python benchmarks/certify.py --python ENV/bin/python [--repeat 3] [--sizes 32,44,64]

ENV holds a torch. Bare workers write to /dev/null and are only waited for. Prints seconds and the
ratio of the sums; both legs start the same processes with the same variables.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import tempfile
import time
from pathlib import Path

from rdna1_lock.certify.run.suite import ID, WARM, Case, cases
from rdna1_lock.guard.environment import worker_environment
from rdna1_lock.guard.patience import BUDGET, Patience
from rdna1_lock.guard.runner import SETTINGS, WORKER, run_worker


def bare(python: str, task: dict[str, object], env: dict[str, str]) -> None:
    sink = os.open(os.devnull, os.O_WRONLY)
    settings = {
        "result_fd": sink,
        "evidence_fd": sink,
        "parent": os.getpid(),
        "budget": BUDGET,
        "heartbeat": 1.0,
        "task": task,
    }
    subprocess.run(
        [python, "-I", "-B", str(WORKER)],
        env={**env, SETTINGS: json.dumps(settings)},
        pass_fds=(sink,),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    os.close(sink)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--python", required=True)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--sizes", default="32,44,64")
    options = parser.parse_args()
    chosen = cases(frozenset(map(int, options.sizes.split(","))))

    def task(case: Case) -> dict[str, object]:
        listed = [case.to_task()]
        return {"kind": "convolutions", "cases": listed, "warm": WARM, "seed": ID, "device": "auto"}

    totals = {"bare": 0.0, "watched": 0.0}
    processor = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.repeat):
            for case in chosen:
                env = worker_environment({}, Path(folder), environ=os.environ, visible=None)
                started = time.perf_counter()
                bare(options.python, task(case), env)
                totals["bare"] += time.perf_counter() - started
                own = resource.getrusage(resource.RUSAGE_SELF)
                started = time.perf_counter()
                command = [options.python, "-I", "-B", str(WORKER)]
                record = run_worker(command, case.id, task(case), env, patience=Patience())
                totals["watched"] += time.perf_counter() - started
                spent = resource.getrusage(resource.RUSAGE_SELF)
                processor += spent.ru_utime + spent.ru_stime - own.ru_utime - own.ru_stime
                assert record.outcome.value == "done", record
    count = options.repeat * len(chosen)
    print(f"{count} workers each: bare {totals['bare']:.1f} s, watched {totals['watched']:.1f} s")
    print(f"ratio {totals['watched'] / totals['bare']:.3f}; the parent's own processor time")
    print(f"{processor:.2f} s, {processor / totals['watched']:.3f} of the watched time")


if __name__ == "__main__":
    main()
