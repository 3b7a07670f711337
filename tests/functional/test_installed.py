"""What ``sync`` installs is what other tools read, run, check and remove."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rdna1_lock.install.interpreter import clean_environment
from support.archives import mark_legacy, write_archive
from support.interpreters import find_python
from support.server import Server

BIN = Path(sys.executable).parent
SCRIPTS = b"""[console_scripts]
mine-main = mine.cli:main
mine-percent = mine.cli:main.__call__

[gui_scripts]
mine-window = mine.cli:main [extra]
"""
FILES = {
    "mine/cli.py": b"import sys\ndef main():\n    print(sys.prefix, sys.argv[1:])\n",
    "mine/__pycache__/cli.cpython-310.pyc": b"not compiled from it",
    "mine-1.0.dist-info/entry_points.txt": SCRIPTS,
    "mine-1.0.dist-info/licenses/LICENSE": b"free",
    "mine-1.0.dist-info/INSTALLER": b"the wheel itself\n",
    "mine-1.0.data/scripts/mine-script": b"#!python\nimport mine, sys\nprint(sys.prefix)\n",
    "mine-1.0.data/scripts/mine-shell": b"#!/bin/sh\necho shell\n",
    "mine-1.0.data/data/share/mine/data.txt": b"data",
    "mine-1.0.data/headers/mine.h": b"#define MINE\n",
    "mine-1.0.data/purelib/mine_pure.py": b"",
    "mine-1.0.data/platlib/mine_plat.py": b"",
}


@pytest.fixture(scope="module")
def python() -> str:
    found = find_python("3.10")
    if found is None:
        pytest.skip("no CPython 3.10 on this machine")
    return found


def tool(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        check=False,
        env={**clean_environment(), "PIP_CONFIG_FILE": os.devnull},
    )


def pip(venv: Path, *command: object) -> subprocess.CompletedProcess[str]:
    return tool(BIN / "python", "-m", "pip", "--python", venv / "bin/python", *command)


@pytest.fixture
def synced(server: Server, run, python, request) -> Path:
    """An environment of a wheel with everything, and of one that it needs."""
    venv = Path(getattr(request, "param", "env")).resolve()
    server.index("pypi")
    write_archive(Path("own"), FILES, metadata="Requires-Dist: other")
    write_archive(Path("own"), name="other")
    where = ["--index-url", server.url("pypi"), "-f", "own"]
    assert run("resolve", "mine", *where, "--output-dir", "lock").status == 0
    done = run("sync", "lock", "--venv", venv, "--python", python, "-f", "own")
    assert done.status == 0, done.err
    return venv


LONG = "a folder with spaces/" + "x" * 120


@pytest.mark.parametrize("synced", ["env", LONG, "umlaut-ü"], indirect=True)
def test_scripts_run_in_the_environment(synced):
    for name in ("mine-main", "mine-percent", "mine-window"):
        shown = tool(synced / "bin" / name, "one", "two words")
        assert shown.stdout == f"{synced} ['one', 'two words']\n", shown.stderr
    assert tool(synced / "bin/mine-script").stdout == f"{synced}\n"
    assert tool(synced / "bin/mine-shell").stdout == "shell\n"


def test_untidy_entry_points_are_read_as_pip_reads_them(server: Server, run, python):
    server.index("pypi")
    untidy = b"[console_scripts]\nrun = mine:old\nrun = mine.cli:main  # newer\n[x]\n100% = %(y)s\n"
    files = {"mine/cli.py": FILES["mine/cli.py"], "mine-1.0.dist-info/entry_points.txt": untidy}
    write_archive(Path("own"), files)
    where = ["--index-url", server.url("pypi"), "-f", "own"]
    assert run("resolve", "mine", *where, "--output-dir", "lock").status == 0
    done = run("sync", "lock", "--venv", "env", "--python", python, "-f", "own")
    assert done.status == 0, done.err
    assert tool("env/bin/run", "x").stdout.endswith("['x']\n")
    assert run("sync", "lock", "--venv", "env", "--check").status == 0


def test_each_file_is_where_its_scheme_says(synced):
    site = synced / "lib/python3.10/site-packages"
    assert (synced / "share/mine/data.txt").read_bytes() == b"data"
    assert (synced / "include/site/python3.10/mine/mine.h").exists()
    assert (site / "mine_pure.py").exists()
    assert (site / "mine_plat.py").exists()
    assert not (site / "mine/__pycache__").exists(), "compiled files of a wheel run unseen"
    assert not (site / "mine-1.0.data").exists()
    info = site / "mine-1.0.dist-info"
    assert (info / "INSTALLER").read_text() == "rdna1-lock\n"
    assert (info / "REQUESTED").exists()
    assert not (site / "other-1.0.dist-info/REQUESTED").exists()
    assert not (info / "direct_url.json").exists()


def test_record_names_every_file_with_its_hash(synced):
    info = synced / "lib/python3.10/site-packages/mine-1.0.dist-info"
    rows = {row[0]: row for row in csv.reader((info / "RECORD").read_text().splitlines())}
    found = tool(
        synced / "bin/python",
        "-c",
        "import importlib.metadata as m, json, hashlib, base64\n"
        "print(json.dumps([[str(f), f.locate().exists(), f.hash and f.hash.value,"
        " base64.urlsafe_b64encode(hashlib.sha256(f.read_binary()).digest()).decode().rstrip('=')]"
        " for f in m.distribution('mine').files]))",
    )
    files = json.loads(found.stdout)
    assert {name for name, *_ in files} == set(rows)
    assert all(there for _, there, _, _ in files)
    for name, _, stated, actual in files:
        assert stated == (None if name.endswith("RECORD") else actual), name
    assert "../../../bin/mine-main" in rows
    assert "../../../share/mine/data.txt" in rows


def test_pip_and_uv_read_check_and_remove_it(synced):
    listed = json.loads(pip(synced, "list", "--format", "json").stdout)
    assert {(one["name"], one["version"]) for one in listed} == {("mine", "1.0"), ("other", "1.0")}
    assert pip(synced, "check").returncode == 0
    shown = pip(synced, "show", "--files", "mine").stdout
    assert "Installer: rdna1-lock" in pip(synced, "show", "--verbose", "mine").stdout
    assert "../../../bin/mine-main" in shown
    inspected = json.loads(pip(synced, "inspect").stdout)["installed"]
    assert {one["metadata"]["name"]: one["requested"] for one in inspected} == {
        "mine": True,
        "other": False,
    }
    uv = [BIN / "uv", "pip"]
    assert "mine==1.0" in tool(*uv, "freeze", "-p", synced / "bin/python").stdout
    assert tool(*uv, "check", "-p", synced / "bin/python").returncode == 0
    removed = pip(synced, "uninstall", "--yes", "mine")
    assert removed.returncode == 0, removed.stderr
    gone = tool(*uv, "uninstall", "-p", synced / "bin/python", "other")
    assert gone.returncode == 0, gone.stderr
    left = [path for path in synced.rglob("*mine*") if path.is_file()]
    left += [path for path in synced.rglob("*other*") if path.is_file()]
    assert left == []


def test_what_was_asked_for_by_url_says_so(server: Server, run, python):
    """PEP 610: ``direct_url.json`` with the URL and the hash."""
    wheel = write_archive(Path("own"))
    server.index("pypi")
    server.faults["/mine-1.0-py3-none-any.whl"] = lambda handler: handler.answer(
        200, wheel.read_bytes()
    )
    url = f"{server.base}/mine-1.0-py3-none-any.whl"
    made = run("resolve", url, "--index-url", server.url("pypi"), "--output-dir", "lock")
    assert made.status == 0, made.err
    done = run("sync", "lock", "--venv", "env", "--python", python)
    assert done.status == 0, done.err
    [told] = Path("env").rglob("direct_url.json")
    assert json.loads(told.read_text())["url"] == url
    assert f"mine @ {url}" in pip(Path("env"), "freeze").stdout
    assert run("sync", "lock", "--venv", "env", "--check").status == 0


# --- METADATA from before PEP 440 ---


def test_legacy_metadata_is_installed_unmodified(server: Server, run, python):
    server.index("pypi")
    requirement = "Requires-Dist: other (>=1.0.*)"
    wheel = write_archive(Path("own"), metadata=requirement)
    write_archive(Path("own"), name="other")
    where = ["--index-url", server.url("pypi"), "-f", "own"]
    made = run("resolve", "mine", "other", *where, "--output-dir", "lock")
    assert made.status == 0, made.err
    mark_legacy(Path("lock"), "mine")
    done = run("sync", "lock", "--venv", "env", "--python", python, "-f", "own")
    assert done.status == 0, done.err
    assert run("sync", "lock", "--venv", "env", "--check").status == 0
    [metadata] = Path("env").rglob("mine-1.0.dist-info/METADATA")
    assert requirement in metadata.read_text()
    # The hash holds here as well.
    (Path("lock/wheels") / wheel.name).write_bytes(wheel.read_bytes() + b"changed")
    wheel.write_bytes(b"changed")
    (Path("env/lib/python3.10/site-packages/mine/__init__.py")).write_text("changed")
    refused = run("sync", "lock", "--venv", "env", "-f", "own")
    assert (refused.status, refused.code) == (3, "own-wheel-missing"), refused.err


def test_requirements_say_which_readers_refuse_it(server: Server, run, python):
    server.index("pypi")
    write_archive(Path("own"), metadata="Requires-Dist: other (>=1.0.*)")
    write_archive(Path("own"), name="other")
    where = ["--index-url", server.url("pypi"), "-f", "own", "--output-dir", "lock"]
    assert run("resolve", "mine", "other", *where).status == 0
    mark_legacy(Path("lock"), "mine")
    from rdna1_lock.emit.requirements import emit_requirements
    from rdna1_lock.lock.read import read_lock

    text = emit_requirements(read_lock(Path("lock/pylock.toml")))
    words = "# pip 24.1 and newer refuse this wheel's metadata; uv and rdna1-lock sync install it"
    assert f"{words}\nmine==1.0 \\\n" in text
    assert text.count(words) == 1
    # It is as it says: today's pip refuses, uv installs.
    Path("lock/requirements.txt").write_text(text)
    Path("lock/wheels").mkdir(exist_ok=True)
    for wheel in Path("own").iterdir():
        (Path("lock/wheels") / wheel.name).write_bytes(wheel.read_bytes())
    subprocess.run([python, "-m", "venv", "--without-pip", "env"], check=True)
    install = ["install", "--no-index", "--require-hashes", "-r", "requirements.txt"]
    os.chdir("lock")
    refused = pip(Path("../env"), *install)
    assert refused.returncode != 0
    assert "invalid metadata" in refused.stderr
    cached = ["--cache-dir", "../uv"]
    taken = tool(BIN / "uv", *cached, "pip", *install, "-p", "../env/bin/python")
    assert taken.returncode == 0, taken.stderr
