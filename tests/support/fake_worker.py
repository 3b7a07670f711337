"""Workers that misbehave, each in one way: ``python fake_worker.py``, the way in the task."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

SETTINGS = json.loads(os.environ["RDNA1_LOCK_WORKER"])
WAY = SETTINGS["task"]["way"]
FOREVER = 3600
if WAY == "late_import":  # before anything is armed
    time.sleep(FOREVER)
WORKER = Path(__file__).parents[2] / "resolver" / "rdna1_lock" / "guard" / "worker"
sys.path.insert(0, str(WORKER))
from sweep_channel import Channel  # noqa: E402

channel = Channel()
channel.open()
RESULT = SETTINGS["result_fd"]
GOOD = {"value": 1}


def sleeper(own_session: bool) -> None:
    subprocess.Popen(["sleep", str(FOREVER)], start_new_session=own_session)


def finish() -> None:
    channel.phase("warm", "c1")
    channel.result(GOOD)


def flood_stderr() -> None:
    for _ in range(2000):
        os.write(2, b"E" * 100_000)
    finish()


def flood_result() -> None:
    for _ in range(64):
        os.write(RESULT, b"x" * (1 << 20))


def spin() -> None:
    while True:
        pass


def ignore_term() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(FOREVER)


def memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    bytearray(8 << 30)


def noise() -> None:
    sys.stdout.write('{"result": {"value": 1}}\n')
    sys.stdout.flush()


def fault() -> None:
    sys.stderr.write("HSA_STATUS_ERROR: made up\n")
    sys.stderr.flush()
    os.abort()


def after_result(end: Callable[[], object]) -> None:
    channel.result(GOOD)
    end()


def orphan(*, then_hang: bool, own_session: bool) -> None:
    sleeper(own_session=own_session)
    if then_hang:
        time.sleep(FOREVER)
    channel.result(GOOD)


def zombie_leader() -> None:
    """End the first thread alone: the process is a zombie that cannot be reaped."""
    threading.Thread(target=lambda: time.sleep(FOREVER)).start()
    time.sleep(0.2)
    ctypes.CDLL(None).syscall(60, 0)


def close_all() -> None:
    for handle in (RESULT, 1, 2):
        os.close(handle)
    time.sleep(FOREVER)


def uninterruptible() -> None:
    """Write to a file system that is frozen: no signal ends that."""
    path = Path(os.environ["FROZEN"]) / str(os.getpid())
    handle = os.open(path, os.O_CREAT | os.O_WRONLY)
    os.write(handle, b"x" * 4096)
    os.fsync(handle)
    finish()


def slow_but_fine() -> None:
    for case in ("c1", "c2", "c3"):
        channel.phase("first", case)
        time.sleep(1.2)
        channel.send({"case": {"id": case}})
    finish()


def second_case_hangs() -> None:
    channel.phase("first", "c1")
    channel.send({"case": {"id": "c1"}})
    channel.phase("first", "c2")
    time.sleep(FOREVER)


def raising() -> None:
    raise RuntimeError("HIP error: invalid device function")


WAYS = {
    "pass": finish,
    "slow_but_fine": slow_but_fine,
    "second_case_hangs": second_case_hangs,
    "sleep": lambda: time.sleep(FOREVER),
    "native_without_gil": lambda: ctypes.CDLL(None).pause(),
    "native_with_gil": lambda: ctypes.PyDLL(None).sleep(FOREVER),
    "spin": spin,
    "ignore_term": ignore_term,
    "stopped": lambda: os.kill(os.getpid(), signal.SIGSTOP),
    "segfault": lambda: ctypes.string_at(0),
    "abort": fault,
    "memory": memory,
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "bus_error": lambda: os.kill(os.getpid(), signal.SIGBUS),
    "partial_line": lambda: os.write(RESULT, b'{"result": {"va'),
    "no_json": lambda: os.write(RESULT, b"not json at all\n"),
    "no_object": lambda: os.write(RESULT, b"[1, 2]\n"),
    "deep_json": lambda: os.write(RESULT, b"[" * 30_000 + b"\n"),
    "nan": lambda: channel.result({"value": float("nan")}),
    "flood_result": flood_result,
    "flood_stderr": flood_stderr,
    "result_on_stdout": noise,
    "silent": lambda: os._exit(0),
    "exit_3": lambda: sys.exit(3),
    "raises": raising,
    "result_then_exit_1": lambda: after_result(lambda: os._exit(1)),
    "result_then_segfault": lambda: after_result(lambda: os.kill(os.getpid(), signal.SIGSEGV)),
    "teardown": lambda: after_result(lambda: time.sleep(FOREVER)),
    "grandchild": lambda: orphan(then_hang=False, own_session=False),
    "grandchild_own_session": lambda: orphan(then_hang=False, own_session=True),
    "grandchild_and_hang": lambda: orphan(then_hang=True, own_session=True),
    "zombie_leader": zombie_leader,
    "close_all": close_all,
    "uninterruptible": uninterruptible,
}

if __name__ == "__main__":
    for phase in ("import", "device", "first"):
        channel.phase(phase)
    WAYS[WAY]()
