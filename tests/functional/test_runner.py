"""The parent of a worker returns in time with the right word, whatever the worker does."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from rdna1_lock.guard.activity import Activity
from rdna1_lock.guard.outcome import Outcome
from rdna1_lock.guard.patience import BUDGET, Patience
from rdna1_lock.guard.process import all_stats, become_subreaper
from rdna1_lock.guard.runner import Record, run_worker
from rdna1_lock.guard.survivors import Survivors

FAKE = Path(__file__).parents[1] / "support" / "fake_worker.py"
# Long enough for a slow machine to start Python in.
PATIENCE = Patience(
    budget={**BUDGET, "spawn": 8, "first": 2, "warm": 2, "teardown": 1.5},
    evidence=0.5,
    term=1.0,
    kill=2.0,
    heartbeat=0.2,
)
EXPECTED = {
    "pass": Outcome.DONE,
    "slow_but_fine": Outcome.DONE,
    "second_case_hangs": Outcome.HANG,
    "late_import": Outcome.HANG,
    "sleep": Outcome.HANG,
    "native_without_gil": Outcome.HANG,
    "native_with_gil": Outcome.HANG,
    "spin": Outcome.HANG,
    "ignore_term": Outcome.HANG,
    "stopped": Outcome.STOPPED,
    "segfault": Outcome.SEGFAULT,
    "abort": Outcome.ABORT,
    "memory": Outcome.ERROR,
    "killed": Outcome.KILLED,
    "bus_error": Outcome.CRASH,
    "partial_line": Outcome.BAD_RESULT,
    "no_json": Outcome.BAD_RESULT,
    "no_object": Outcome.BAD_RESULT,
    "deep_json": Outcome.BAD_RESULT,
    "nan": Outcome.ERROR,
    "flood_result": Outcome.BAD_RESULT,
    "flood_stderr": Outcome.DONE,
    "result_on_stdout": Outcome.NO_RESULT,
    "silent": Outcome.NO_RESULT,
    "exit_3": Outcome.ERROR,
    "raises": Outcome.ERROR,
    "result_then_exit_1": Outcome.ERROR_AFTER_RESULT,
    "result_then_segfault": Outcome.CRASH_AFTER_RESULT,
    "teardown": Outcome.TEARDOWN_HANG,
    "grandchild": Outcome.DONE,
    "grandchild_own_session": Outcome.DONE,
    "grandchild_and_hang": Outcome.HANG,
    "zombie_leader": Outcome.HANG,
    "close_all": Outcome.ERROR,
}
# The watchdog names the line in these; a stopped process and one before its start have none.
WITH_STACK = {"sleep", "native_without_gil", "native_with_gil", "spin", "ignore_term", "teardown"}


def run_fake(way: str, patience: Patience = PATIENCE, **more: object) -> Record:
    become_subreaper()
    env = {"PATH": os.environ["PATH"], **{k: str(v) for k, v in more.pop("env", {}).items()}}
    command = [sys.executable, "-I", "-B", str(FAKE)]
    return run_worker(command, f"fake {way}", {"way": way}, env, patience=patience, **more)


@pytest.mark.slow
@pytest.mark.parametrize("way", EXPECTED)
def test_each_way_to_misbehave_is_told_and_ended(way: str):
    started = time.monotonic()
    record = run_fake(way)
    taken = time.monotonic() - started
    assert record.outcome is EXPECTED[way], record
    # Budget of the last phase, grace, and what a loaded machine takes on top.
    assert taken < 8 + 2 + 2 + 3.5 + 6
    # We are the reaper of orphans, so whatever lived on would be our child now.
    assert [stat for stat in all_stats().values() if stat.ppid == os.getpid()] == []
    if record.hang is not None:
        assert record.phase == {"late_import": "spawn", "teardown": "teardown"}.get(way, "first")
    if way in WITH_STACK - {"teardown"}:
        assert "fake_worker.py" in record.stacks
    if way in {"segfault", "abort"}:
        assert "Fatal Python error" in record.stacks
    if way == "second_case_hangs":
        assert [case["id"] for case in record.cases] == ["c1"]
        assert (record.case, record.hang["case"]) == ("c2", "c2")
    if way == "flood_stderr":
        assert record.stderr_bytes == 200_000_000
        assert len(record.stderr) <= 4000
    if way.startswith("grandchild"):
        assert record.left_behind == ("sleep",)
    if way == "ignore_term":
        assert record.killed_with == "SIGKILL"
    if way == "spin":
        assert record.hang["busy_threads"] >= 1
    if way == "raises":
        assert "invalid device function" in record.stderr


def test_progress_is_told_while_it_runs():
    seen: list[Activity] = []
    record = run_fake("slow_but_fine", running=seen.append)
    assert record.outcome is Outcome.DONE
    assert len(seen) >= 2
    assert {item.phase for item in seen} <= {"import", "first", "spawn"}
    assert any(item.case in {"c1", "c2", "c3"} for item in seen)
    assert [name for name, _, _ in record.phases].count("first") == 4


def test_a_program_that_is_not_there():
    record = run_worker(["/nowhere/python"], "x", {}, {}, patience=PATIENCE)
    assert record.outcome is Outcome.SPAWN_ERROR
    assert "FileNotFoundError" in str(record.error)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_parent_that_ends_leaves_nothing_running(number: int):
    """Ctrl-C reaches the parent only, as the worker has a session of its own; a kill tells nobody."""
    code = (
        "import os, sys; sys.path[:0] = [{resolver!r}];"
        "from rdna1_lock.guard.runner import run_worker;"
        "from rdna1_lock.guard.patience import Patience;"
        "run_worker([sys.executable, '-I', '-B', {fake!r}], 'i', {{'way': 'sleep'}}, dict(os.environ), patience=Patience())"
    ).format(resolver=str(FAKE.parents[2] / "resolver"), fake=str(FAKE))
    parent = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
    children: list[int] = []
    end = time.monotonic() + 20
    while time.monotonic() < end and not children:
        children = [pid for pid, stat in all_stats().items() if stat.ppid == parent.pid]
        time.sleep(0.05)
    time.sleep(0.3)
    parent.send_signal(number)
    assert parent.wait(20) != 0
    assert parent.stderr is not None
    parent.stderr.close()
    assert children
    end = time.monotonic() + 10
    while time.monotonic() < end and any(pid in all_stats() for pid in children):
        for pid in children:
            # Other tests have made this process the reaper of orphans.
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        time.sleep(0.05)
    assert not any(pid in all_stats() for pid in children)


@pytest.mark.slow
def test_a_child_that_no_signal_ends_is_reported_and_left(tmp_path: Path):
    """A real uninterruptible sleep: a write to a frozen file system."""
    image, place = tmp_path / "image", tmp_path / "frozen"
    place.mkdir()
    image.write_bytes(b"\0" * (32 << 20))
    made = shutil.which("mkfs.ext4") and shutil.which("fsfreeze")
    if not made or os.getuid() != 0:
        pytest.skip("needs root, mkfs.ext4 and fsfreeze")
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    mounted = subprocess.run(
        ["mount", "-o", "loop", image, place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no loop device: {mounted.stderr.decode().strip()}")
    survivors = Survivors()
    thaw = threading.Timer(40, subprocess.run, [["fsfreeze", "-u", place]])
    try:
        subprocess.run(["fsfreeze", "-f", place], check=True)
        thaw.start()
        started = time.monotonic()
        record = run_fake("uninterruptible", env={"FROZEN": place}, survivors=survivors)
        assert time.monotonic() - started < 25
        assert record.outcome is Outcome.HANG_UNKILLABLE
        assert record.killed_with == "SIGKILL"
        assert "D" in {thread["state"] for thread in record.survivor}
        assert len(survivors.reap()) == 1
    finally:
        thaw.cancel()
        subprocess.run(["fsfreeze", "-u", place], check=False)
        end = time.monotonic() + 10
        while survivors.reap() and time.monotonic() < end:
            time.sleep(0.05)
        subprocess.run(["umount", place], check=True)
    assert survivors.reap() == []
