"""``fetch``, ``sync``, ``env`` and ``cache``: what is installed is exactly what was locked."""

from __future__ import annotations

import fcntl
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rdna1_lock.install.interpreter import probe
from support import faults
from support.interpreters import find_python
from support.replica import PINS, replica_options
from support.server import Server
from support.wheels import Spec, make_wheel

FOLDER = Path("locks/rocm5.2-cp310")


@pytest.fixture(scope="module")
def python() -> str:
    found = find_python("3.10")
    if found is None:
        pytest.skip("no CPython 3.10 on this machine")
    return found


@pytest.fixture
def locked(server: Server, run, request) -> Path:
    assert (
        run("resolve", "-q", *replica_options(server), *getattr(request, "param", ())).status == 0
    )
    return FOLDER


def server_options(server: Server) -> list[str]:
    return [
        "--no-catalogue",
        "--index-url",
        server.url("pypi"),
        "--rocm-index-url",
        server.url("rocm"),
    ]


def state(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in folder.rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    }


def test_fetch_brings_all_and_again_nothing(locked, server, run):
    result = run("fetch", locked, "--json")
    assert result.status == 0, result.err
    assert len(json.loads(result.out)["fetched"]) == len(PINS)
    server.forget()
    again = run("fetch", locked)
    assert "fetched 0 wheels, kept 10" in again.err
    assert server.log == []


def test_a_wrong_file_is_replaced(locked, server, run):
    assert run("fetch", locked).status == 0
    [wheel] = (locked / "wheels").glob("idna-*.whl")
    right = wheel.read_bytes()
    wheel.write_bytes(b"wrong")
    assert run("fetch", locked).status == 0
    assert wheel.read_bytes() == right


def test_resumed_with_a_range(locked, server, run):
    folder = locked / "wheels"
    folder.mkdir()
    [entry] = [
        e
        for e in server.indexes["rocm"].projects["torch"]
        if e.filename.startswith("torch-1.13.1+rocm5.2-cp310")
    ]
    (folder / f".{entry.filename}.part").write_bytes(entry.content[:1000])
    assert run("fetch", locked).status == 0
    assert [span for path, span in server.log if "torch-1.13.1" in path and span] == ["bytes=1000-"]
    assert (folder / entry.filename).read_bytes() == entry.content


@pytest.mark.parametrize("rest", [b"rubbish" * 40, b""])
def test_a_rotten_part_is_begun_again(locked, server, run, rest):
    folder = locked / "wheels"
    folder.mkdir()
    [entry] = [
        e
        for e in server.indexes["rocm"].projects["torch"]
        if e.filename.startswith("torch-1.13.1+rocm5.2-cp310")
    ]
    (folder / f".{entry.filename}.part").write_bytes(rest or entry.content + b"more")
    assert run("fetch", locked).status == 0
    assert (folder / entry.filename).read_bytes() == entry.content


def test_a_server_without_ranges_is_begun_again(locked, server, run):
    server.indexes["rocm"].style.ranges = False
    folder = locked / "wheels"
    folder.mkdir()
    [entry] = [
        e
        for e in server.indexes["rocm"].projects["torch"]
        if e.filename.startswith("torch-1.13.1+rocm5.2-cp310")
    ]
    (folder / f".{entry.filename}.part").write_bytes(entry.content[:1000])
    assert run("fetch", locked).status == 0
    assert (folder / entry.filename).read_bytes() == entry.content


@pytest.mark.parametrize("locked", [["--portable"]], indirect=True)
def test_portable_locks_are_fetched_from_the_index(locked, server, run):
    assert run("fetch", locked, "--index-url", server.url("pypi")).status == 0
    assert len(list((locked / "wheels").glob("*.whl"))) == len(PINS)
    gone = server.indexes["pypi"].projects.pop("idna")
    other = Path("other")
    refused = run("fetch", locked, "--dest", other, "--index-url", server.url("pypi"))
    assert (refused.status, refused.code) == (4, "file-gone")
    gone[1].stated["sha256"] = "0" * 64
    server.indexes["pypi"].projects["idna"] = gone
    alarm = run("fetch", locked, "--dest", "third", "--index-url", server.url("pypi"))
    assert (alarm.status, alarm.code) == (5, "hash-mismatch")
    # Wheels that lie somewhere already are taken from there.
    server.indexes.pop("pypi")
    taken = run("fetch", locked, "--dest", "fourth", "--find-links", locked / "wheels")
    assert taken.status == 0, taken.err


def test_own_wheels_come_from_their_folder(server, run):
    own = Path("own")
    own.mkdir()
    wheel = make_wheel(Spec("mine", "1"))
    (own / wheel.filename).write_bytes(wheel.content)
    assert (
        run(
            "resolve", "mine", "--find-links", own, *replica_options(server), "--output-dir", "lock"
        ).status
        == 0
    )
    refused = run("fetch", "lock")
    assert (refused.status, refused.code) == (3, "own-wheel-missing")
    assert run("fetch", "lock", "--find-links", own).status == 0


def test_an_edited_lock_is_refused(locked, run):
    path = locked / "pylock.toml"
    path.write_text(path.read_text().replace("idna-3.10", "idna-3.11"))
    for command in (["fetch"], ["sync", "--venv", "env"], ["env"]):
        result = run(*command, locked)
        assert result.status == 3, result.err
    assert not Path("env").exists()


def test_too_little_space_is_said_before(locked, run, monkeypatch):
    from types import SimpleNamespace

    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10))
    result = run("fetch", locked)
    assert (result.status, result.code) == (3, "no-space")


def test_a_full_disk_keeps_what_has_come(locked, run, server):
    """A real file system of 20 MB: the reserve is used up, the rest of the lock is untouched."""
    small = Path("small")
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "none", small], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("cannot mount a file system here")
    try:
        result = run("fetch", locked, "--dest", small)
        assert (result.status, result.code) == (3, "no-space"), result.err
        assert not list(small.glob("*.whl"))
        before = state(locked)
        full = run("resolve", *replica_options(server), "--output-dir", small / "lock")
        assert full.status in {0, 3}
        assert state(locked) == before
    finally:
        subprocess.run(["umount", small], check=True)


def test_two_at_once(locked, server):
    server.indexes["pypi"].style.latency = 0.05
    command = [sys.executable, "-m", "rdna1_lock", "fetch", str(locked), "-q"]
    running = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert len(list((locked / "wheels").glob("*.whl"))) == len(PINS)
    assert not list((locked / "wheels").glob(".*"))


def test_sync(locked, server, run, python, tmp_path):
    result = run("sync", locked, "--venv", "env", "--python", python)
    assert result.status == 0, result.err
    assert "every file as locked" in result.err
    found = probe("env/bin/python")
    assert found is not None
    assert {
        name.lower().replace("_", "-"): version for name, version, _ in found.distributions
    } == PINS
    assert run("sync", locked, "--venv", "env", "--check").status == 0
    # A changed byte, a missing file, an extra package, another version: found, then mended.
    site = Path(found.paths["purelib"])
    (site / "numpy" / "__init__.py").write_text("changed = True\n")
    (site / "idna" / "__init__.py").unlink()
    extra = make_wheel(Spec("extra", "1"))
    Path(extra.filename).write_bytes(extra.content)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        "env/bin/python",
        "install",
        "--no-index",
        "--no-deps",
        "-q",
    ]
    subprocess.run([*pip, extra.filename], check=True)
    older = make_wheel(Spec("certifi", "2020.1"))
    Path(older.filename).write_bytes(older.content)
    subprocess.run([*pip, "--force-reinstall", older.filename], check=True)
    refused = run("sync", locked, "--venv", "env", "--check")
    assert (refused.status, refused.code) == (5, "environment-differs")
    for line in (
        "changed: numpy",
        "missing: idna",
        "extra: extra 1",
        "wrong-version: certifi 2020.1",
    ):
        assert line in refused.err
    mended = run("sync", locked, "--venv", "env", "--json")
    data = json.loads(mended.out)
    assert data["installed"] == ["certifi", "idna", "numpy"]
    assert data["removed"] == ["extra"]
    assert run("sync", locked, "--venv", "env", "--check").status == 0


SHOW = 'echo "${HSA_OVERRIDE_GFX_VERSION-none} ${ROCM_PATH-none}"'


@pytest.mark.parametrize("before", [None, "9.0.0", "", "a 'b' $c"])
def test_activation_sets_and_deactivation_restores(locked, run, python, before):
    assert run("sync", locked, "--venv", "env", "--python", python, "-q").status == 0
    clean = {
        k: v for k, v in os.environ.items() if k not in {"HSA_OVERRIDE_GFX_VERSION", "ROCM_PATH"}
    }
    env = clean if before is None else {**clean, "HSA_OVERRIDE_GFX_VERSION": before}
    for shell in filter(shutil.which, ("bash", "dash", "zsh", "sh")):
        script = f". env/bin/activate; {SHOW}; . env/bin/activate; deactivate; {SHOW}"
        shown = subprocess.run(
            [shell, "-c", script], capture_output=True, text=True, check=True, env=env
        ).stdout
        assert shown.splitlines() == [
            "10.3.0 /opt/rocm",
            f"{'none' if before is None else before} none",
        ]
    assert run("sync", locked, "--venv", "env", "--no-env", "-q").status == 0
    assert "rdna1-lock" not in Path("env/bin/activate").read_text()
    twice = run("sync", locked, "--venv", "env", "-q")
    text = Path("env/bin/activate").read_text()
    assert twice.status == run("sync", locked, "--venv", "env", "-q").status == 0
    assert Path("env/bin/activate").read_text() == text


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("sh", "export HSA_OVERRIDE_GFX_VERSION=10.3.0"),
        ("fish", "set -gx HSA_OVERRIDE_GFX_VERSION '10.3.0'"),
        ("dotenv", "HSA_OVERRIDE_GFX_VERSION=10.3.0"),
        ("json", '  "HSA_OVERRIDE_GFX_VERSION": "10.3.0",'),
    ],
)
def test_env(locked, run, form, line):
    result = run("env", locked, "--format", form)
    assert result.status == 0
    assert line in result.out.splitlines()


def test_sync_refuses_what_is_no_environment_of_its_own(locked, server, run, python):
    Path("full").mkdir()
    Path("full/mine.txt").write_text("mine")
    server.forget()
    for arguments, code in (
        (["--venv", "full"], "not-an-environment"),
        (["--venv", "full/mine.txt"], "not-an-environment"),
        (["--venv", "new", "--check"], "not-an-environment"),
        (["--venv", "new", "--python", "/nowhere/python"], "wrong-python"),
        (["--venv", "new", "--python", sys.executable], "wrong-python"),
    ):
        if sys.version_info[:2] == (3, 10) and arguments[-1] == sys.executable:
            continue
        result = run("sync", locked, *arguments)
        assert result.code == code, result.err
        assert server.log == [], "nothing is fetched before the interpreter is known"
    assert Path("full/mine.txt").read_text() == "mine"
    assert not Path("new").exists()


def test_an_environment_stays_as_it_was_when_the_network_fails(locked, server, run, python):
    assert run("sync", locked, "--venv", "env", "--python", python, "-q").status == 0
    before = state(Path("env"))
    server.indexes["pypi"].add(Spec("idna", "3.11"))
    assert run("resolve", "-q", "-U", *server_options(server)).status == 0
    [new] = [e for e in server.indexes["pypi"].projects["idna"] if "-3.11-" in e.filename]
    server.faults[f"/pypi/files/{new.filename}"] = faults.status(500)
    failed = run("sync", locked, "--venv", "env")
    assert (failed.status, failed.code) == (4, "http-status")
    assert state(Path("env")) == before
    server.faults.clear()
    assert run("sync", locked, "--venv", "env").status == 0
    found = probe("env/bin/python")
    assert found is not None
    assert "3.11" in [version for name, version, _ in found.distributions if name == "idna"]


def test_credentials_of_the_index_fetch_its_files(locked, server, run):
    def closed(handler) -> bool:
        if handler.headers.get("Authorization") == "Basic bWU6c2VjcmV0":
            return False
        handler.answer(401, b"who are you?")
        return True

    for entries in server.indexes["pypi"].projects.values():
        for entry in entries:
            server.faults[f"/pypi/files/{entry.filename}"] = closed
    refused = run("fetch", locked)
    assert (refused.status, refused.code) == (4, "http-status")
    url = server.url("pypi").replace("http://", "http://me:secret@")
    assert run("fetch", locked, "--index-url", url).status == 0


@pytest.mark.parametrize("plus", ["%2B", "%2b", "+"])
def test_a_wheel_by_url_with_a_local_label(server, run, plus):
    wheel = make_wheel(Spec("mine", "1+own.2"))
    server.index("pypi", metadata_files=True).add_wheel("mine", wheel)
    url = f"{server.base}/pypi/files/{wheel.filename.replace('+', plus)}"
    made = run("resolve", url, "--index-url", server.url("pypi"), "--output-dir", "lock")
    assert made.status == 0, made.err
    assert run("fetch", "lock").status == 0
    assert [path.name for path in Path("lock/wheels").glob("*.whl")] == [wheel.filename]


def test_an_interpreter_of_another_machine_is_refused(locked, run, tmp_path):
    fake = tmp_path / "python-arm"
    told = {
        "version": "3.10.1",
        "implementation": "CPython",
        "machine": "aarch64",
        "prefix": "/usr",
        "base_prefix": "/usr",
        "paths": {"purelib": "/nowhere", "platlib": "/nowhere"},
        "distributions": [],
    }
    fake.write_text(f"#!/bin/sh\ncat <<'E'\n{json.dumps(told)}\nE\n")
    fake.chmod(0o755)
    result = run("sync", locked, "--venv", "env", "--python", fake)
    assert (result.status, result.code) == (2, "wrong-python")
    assert "aarch64" in result.err


def test_no_python_on_path(locked, run, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run("sync", locked, "--venv", "env")
    assert (result.status, result.code) == (2, "no-python")
    assert "--python" in result.err


def test_cache_is_shown_and_cleared(locked, run):
    shown = run("cache", "--json")
    data = json.loads(shown.out)
    assert data["kinds"]["page"]["entries"] == 10
    assert run("cache", "--clear").status == 0
    assert json.loads(run("cache", "--json").out)["kinds"]["page"]["entries"] == 0


@pytest.mark.slow
def test_killed_at_any_moment(server, tmp_path):
    """Kill ``resolve`` and ``fetch`` at random moments; each time old or new, and all ends well."""
    options = replica_options(server, latency=0.004)
    base = [sys.executable, "-m", "rdna1_lock"]
    work = tmp_path / "kill"
    work.mkdir()
    resolve = [*base, "resolve", *options, "--output-dir", "lock", "-q"]
    versions = {}
    for number, more in enumerate((["torch", "idna<3.10"], ["torch", "torchvision"])):
        subprocess.run([*resolve, "-U", *more], cwd=work, check=True)
        versions[number] = state(work / "lock")
    chance = random.Random(2)
    mixed = 0
    for number in range(100):
        more = (["torch", "idna<3.10"], ["torch", "torchvision"])[number % 2]
        process = subprocess.Popen([*resolve, "-U", *more], cwd=work, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.0, 0.55))
        process.send_signal(signal.SIGKILL)
        process.wait()
        kept = {
            name: text
            for name, text in state(work / "lock").items()
            if not name.startswith(".rdna1-lock-")
        }
        for name, text in kept.items():
            assert text in [one[name] for one in versions.values()], (number, name)
        mixed += kept not in versions.values()
    assert mixed <= 1, "only the moment between two renames can mix them"
    subprocess.run([*resolve, "-U", "torch", "torchvision"], cwd=work, check=True)
    assert state(work / "lock") == versions[1], "nothing of the killed runs is left"
    right = {
        e.filename: e.content
        for index in server.indexes.values()
        for many in index.projects.values()
        for e in many
    }
    for _ in range(40):
        process = subprocess.Popen(
            [*base, "fetch", "lock", "-q"], cwd=work, stderr=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0.1, 0.45))
        process.send_signal(signal.SIGKILL)
        process.wait()
        for wheel in (work / "lock" / "wheels").glob("*.whl"):
            assert wheel.read_bytes() == right[wheel.name]
            if chance.random() < 0.5:
                wheel.unlink()
    subprocess.run([*base, "fetch", "lock", "-q"], cwd=work, check=True)
    assert len(list((work / "lock" / "wheels").glob("*.whl"))) == len(PINS)


def test_a_lock_of_another_process_on_the_part_is_waited_for(locked, server):
    folder = locked / "wheels"
    folder.mkdir()
    [entry] = [e for e in server.indexes["pypi"].projects["idna"] if "-3.10-" in e.filename]
    part = folder / f".{entry.filename}.part"
    with part.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        process = subprocess.Popen([sys.executable, "-m", "rdna1_lock", "fetch", str(locked), "-q"])
        time.sleep(1.5)
        assert process.poll() is None
    assert process.wait(30) == 0
    assert (folder / entry.filename).read_bytes() == entry.content
