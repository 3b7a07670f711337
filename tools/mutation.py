"""Change the code in small ways, one at a time, and count the changes that tests notice.

    make mutation                         # a sample of each target; about half an hour
    python tools/mutation.py --sample 0   # every mutation; many hours
    python tools/mutation.py judge --sample 40

cosmic-ray makes the mutations, in a copy of the tree; each runs the tests of its target until one
fails. What survives is printed with file, line and kind: a test is missing, or the change makes no
difference. The same seed takes the same sample.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Target:
    """Modules that are changed, the tests that must notice, and how long those take."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]
    timeout: int = 60


TARGETS = {
    "resolution": Target(
        ("resolution/finder.py", "resolution/provider.py", "resolution/demand.py",
         "resolution/resolve.py", "resolution/sources.py"),
        ("tests/functional/test_edges.py", "tests/functional/test_scenarios.py",
         "tests/functional/test_resolve.py"),
    ),
    "index": Target(
        ("index/parse.py", "index/html.py", "index/metadata.py", "urls.py", "legacy.py", "moment.py"),
        ("tests/unit/test_parse.py", "tests/unit/test_urls.py", "tests/unit/test_remote.py",
         "tests/functional/test_hostile_index.py"),
    ),
    "lock": Target(
        ("lock/forms.py", "lock/read.py", "lock/digests.py", "lock/build.py", "emit/pylock.py"),
        ("tests/functional/test_hostile_lock.py", "tests/property/test_lock.py",
         "tests/functional/test_resolve.py"),
    ),
    "judge": Target(
        ("certify/proof/judge.py", "certify/proof/measurement.py", "certify/proof/verdict.py"),
        ("tests/unit/test_bounds.py", "tests/unit/test_certificate.py",
         "tests/functional/test_verify.py"),
    ),
    "verify": Target(
        ("certify/proof/check.py", "certify/proof/dsse.py", "certify/proof/strictjson.py"),
        ("tests/unit/test_envelope.py", "tests/unit/test_allowed_signers.py",
         "tests/functional/test_verify.py"),
    ),
}  # fmt: skip


def run_target(name: str, target: Target, sample: int, seed: str) -> tuple[int, int, list[str]]:
    """Return how many mutations ran, how many were noticed, and those that were not."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = Path(folder) / "tree"
        ignored = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis")
        shutil.copytree(ROOT, copy, ignore=ignored)
        session, config = Path(folder) / "session.sqlite", Path(folder) / "config.toml"
        modules = [f"resolver/rdna1_lock/{module}" for module in target.modules]
        tests = " ".join(target.tests)
        command = f"{sys.executable} -m pytest -x -q -p no:cacheprovider -k 'not html and not bare' {tests}"
        config.write_text(
            "[cosmic-ray]\n"
            f"module-path = {json.dumps(modules)}\n"
            f"timeout = {target.timeout}.0\n"
            f"test-command = {json.dumps(command)}\n"
            "[cosmic-ray.distributor]\nname = 'local'\n"
        )
        tool = Path(sys.executable).with_name("cosmic-ray")
        environ = {
            **os.environ,
            "PYTHONPATH": str(copy / "resolver"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        environ["RDNA1_LOCK_FUZZ"] = "60"
        for step in ("baseline", "init", "exec"):
            arguments = [str(config)] if step == "baseline" else [str(config), str(session)]
            subprocess.run([tool, step, *arguments], cwd=copy, env=environ, check=True)
            if step == "init" and sample:
                take_sample(session, sample, f"{seed} {name}")
        return read_session(session)


def take_sample(session: Path, size: int, seed: str) -> None:
    """Leave a random choice of the mutations in a session."""
    with sqlite3.connect(session) as database:
        jobs = sorted(row[0] for row in database.execute("SELECT job_id FROM work_items"))
        # Job ids are random: what a mutation does orders them.
        rows = database.execute(
            "SELECT job_id, module_path, operator_name, occurrence FROM mutation_specs"
        ).fetchall()
        # `X | None` in an annotation is never evaluated.
        real = [row for row in rows if "BinaryOperator_BitOr" not in row[2]]
        order = [row[0] for row in sorted(real, key=lambda row: row[1:])]
        kept = set(random.Random(seed).sample(order, min(size, len(order))))
        for job in jobs:
            if job not in kept:
                for table in ("work_items", "mutation_specs"):
                    database.execute(f"DELETE FROM {table} WHERE job_id = ?", (job,))


def read_session(session: Path) -> tuple[int, int, list[str]]:
    with sqlite3.connect(session) as database:
        rows = database.execute(
            "SELECT m.module_path, m.start_pos_row, m.operator_name, m.occurrence, r.test_outcome"
            " FROM mutation_specs m JOIN work_results r ON m.job_id = r.job_id"
        ).fetchall()
    survived = [
        f"{path}:{row} {operator} {occurrence}"
        for path, row, operator, occurrence, outcome in rows
        if "SURVIVED" in str(outcome).upper()
    ]
    return len(rows), len(rows) - len(survived), sorted(survived)


def main() -> int:
    """Run the targets that were asked for, and print the score of each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], help="by default all")
    parser.add_argument("--sample", type=int, default=24, help="mutations a target; 0 for all")
    parser.add_argument("--seed", default="1")
    asked = parser.parse_args()
    total = noticed = 0
    for name in asked.targets or list(TARGETS):
        ran, killed, survived = run_target(name, TARGETS[name], asked.sample, asked.seed)
        total, noticed = total + ran, noticed + killed
        print(f"{name}: {killed} of {ran} noticed", flush=True)
        for line in survived:
            print(f"  survived: {line}", flush=True)
    print(f"all: {noticed} of {total} noticed, {100 * noticed / max(1, total):.0f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
