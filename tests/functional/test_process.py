"""The command as a process: signals, and an exit that does not wait for anybody."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

from support.replica import replica_options
from support.server import Server

COMMAND = [sys.executable, "-m", "rdna1_lock", "resolve"]


def hang(handler) -> bool:
    time.sleep(8)
    return False


def test_interrupting_a_slow_index_ends_at_once(server: Server, tmp_path):
    options = replica_options(server)
    server.faults["/pypi/simple/idna/"] = hang
    process = subprocess.Popen(
        [*COMMAND, *options], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    while not server.paths("/pypi/simple/idna/"):
        time.sleep(0.02)
    time.sleep(0.3)
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert time.monotonic() - started < 4
    assert not (tmp_path / "locks").exists()


def test_a_reader_that_goes_away_is_no_error(server: Server, tmp_path):
    options = replica_options(server)
    process = subprocess.Popen(
        [*COMMAND, *options, "-o", "-"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(30) == 0
    assert "Traceback" not in err


def test_progress_is_drawn_on_a_terminal_only(server: Server, tmp_path):
    import os
    import pty

    options = replica_options(server)
    subprocess.run([*COMMAND, *options, "-q", "--output-dir", "lock"], cwd=tmp_path, check=True)
    fetch = [sys.executable, "-m", "rdna1_lock", "fetch", "lock", "--dest"]
    plain = subprocess.run(
        [*fetch, "one"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "\x1b" not in plain.stderr
    assert "torch-1.13.1" not in plain.stderr
    leader, follower = pty.openpty()
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120"}
    process = subprocess.Popen([*fetch, "two"], cwd=tmp_path, stderr=follower, env=env)
    os.close(follower)
    shown = b""
    while True:
        try:
            chunk = os.read(leader, 65536)
        except OSError:
            break
        if not chunk:
            break
        shown += chunk
    os.close(leader)
    assert process.wait(30) == 0
    assert b"torch-1.13.1+rocm5.2" in shown
    assert b"all" in shown
