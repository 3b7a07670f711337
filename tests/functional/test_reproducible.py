"""Same inputs, same index contents: the same bytes, whatever the process around it looks like."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

from rdna1_lock.emit.formats import FORMATS
from support.replica import replica_options
from support.server import Server

REQUESTS = ["torchvision", "torch", "requests[socks]", "numpy>=1.20"]


def lock(server_options: list[str], folder: Path, *arguments: str, **env: str) -> dict[str, bytes]:
    folder.mkdir(exist_ok=True)
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "rdna1_lock",
            "resolve",
            *server_options,
            *arguments,
            "--output-dir",
            "out",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, **env},
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return {path.name: path.read_bytes() for path in (folder / "out").iterdir()}


def test_locale_hash_seed_order_and_cache_change_nothing(server: Server, tmp_path: Path):
    options = replica_options(server)
    first = lock(options, tmp_path / "0", *REQUESTS)
    variants = itertools.cycle(
        [
            {"LC_ALL": "C"},
            {"LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo"},
            {"LANG": "tr_TR.UTF-8", "COLUMNS": "20"},
        ]
    )
    for number, order in enumerate(itertools.islice(itertools.permutations(REQUESTS), 0, 24, 5), 1):
        cold = (
            str(tmp_path / f"cache{number}") if number % 2 else os.environ["RDNA1_LOCK_CACHE_DIR"]
        )
        env = {**next(variants), "PYTHONHASHSEED": str(number), "RDNA1_LOCK_CACHE_DIR": cold}
        assert lock(options, tmp_path / str(number), *order, **env) == first


def test_the_kind_of_page_changes_nothing(server: Server, tmp_path: Path):
    locks = []
    for number, style in enumerate(
        [
            {"kind": "json"},
            {"kind": "html"},
            {"kind": "html", "metadata_files": False},
            {"kind": "json", "metadata_files": False, "ranges": False},
        ]
    ):
        options = replica_options(server, **style)
        files = lock(
            options, tmp_path / str(number), RDNA1_LOCK_CACHE_DIR=str(tmp_path / f"cache{number}")
        )
        # HTML pages state no sizes; all else is equal.
        locks.append(
            [
                line
                for line in files["pylock.toml"].splitlines()
                if not line.startswith((b"size", b"packages = "))
            ]
        )
    assert all(one == locks[0] for one in locks)


def test_two_runs_at_once_leave_one_whole_lock(server: Server, tmp_path: Path):
    server.index("slow")
    options = replica_options(server, latency=0.02)
    command = [sys.executable, "-m", "rdna1_lock", "resolve", *options, "--output-dir", "out"]
    running = [
        subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) for _ in range(4)
    ]
    assert [process.wait(60) for process in running] == [0] * 4
    for process in running:
        assert process.stderr is not None
        process.stderr.close()
    assert {path.name for path in (tmp_path / "out").iterdir()} == {one.filename for one in FORMATS}
    again = subprocess.run(
        [*command, "--check"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert again.returncode == 0, again.stderr
