"""What an attack from the command line alone found: an index owner, a lock's author, a clumsy user."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rdna1_lock.certify.proof.folder import Keys, write_certificate
from rdna1_lock.errors import InputError
from rdna1_lock.install.environment import UNFINISHED
from support.archives import edit_lock, write_archive
from support.evidence import make_report
from support.interpreters import find_python
from support.replica import replica_options
from support.server import Entry, Handler, Server
from support.wheels import Spec, make_wheel

TOOL = Path(sys.executable).parent / "rdna1-lock"
ROOT = Path(__file__).parents[2]
# int() refuses more than 4300 digits, by default.
DIGITS = "9" * 5000
NESTED = "(" * 900 + "os_name=='x'" + ")" * 900


@pytest.fixture
def resolve(server: Server, run):
    """Resolve ``a`` from an index that has 0.9 of it."""
    index = server.index("pypi", metadata_files=True)
    index.add(Spec("a", "0.9"))
    index.add(Spec("b", "1.0"))

    def call(*words: str):
        index_url = server.url("pypi")
        return run("resolve", *(words or ("a",)), "--index-url", index_url, "-o", "-")

    return call


def answers(server: Server, path: str, status: int, headers: dict[str, str], body: bytes) -> None:
    def answer(handler: Handler) -> bool:
        handler.answer(status, body, headers)
        return True

    server.faults[path] = answer


# --- an index owner ---


@pytest.mark.parametrize("age", ["\xb2", DIGITS, "-1", "1e9", ""])
def test_a_freshness_that_is_no_number(server, resolve, age):
    index = server.indexes["pypi"]

    def answer(handler: Handler) -> bool:
        body, kind, _ = index.rendered("a", as_json=True)
        handler.answer(200, body, {"Content-Type": kind, "Cache-Control": f"max-age={age}"})
        return True

    server.faults["/pypi/simple/a/"] = answer
    assert resolve().status == 0


@pytest.mark.parametrize("after", [DIGITS, "Fri, 31 Dec 99999999 23:59:59 GMT", "-5", "\xb2"])
def test_a_pause_that_is_no_number(server, resolve, after):
    answers(server, "/pypi/simple/a/", 503, {"Retry-After": after}, b"")
    result = resolve()
    assert (result.status, result.code) == (4, "http-status"), result.err


def test_a_redirect_to_what_is_not_text(server, resolve):
    answers(server, "/pypi/simple/a/", 302, {"Location": "/\xff"}, b"")
    result = resolve()
    assert (result.status, result.code) == (4, "unreachable"), result.err


def test_a_range_with_more_digits_than_a_number_has(server, run):
    index = server.index("pypi", hashes=False)
    index.add(Spec("a", "1.0"))
    name = index.projects["a"][0].filename
    answers(
        server, f"/pypi/files/{name}", 206, {"Content-Range": f"bytes 0-{DIGITS}/{DIGITS}"}, b"x"
    )
    result = run("resolve", "a", "--index-url", server.url("pypi"), "-o", "-")
    assert result.status == 4, result.err


def test_a_character_with_more_digits_than_a_number_has(server, resolve):
    page = f'<a href="/x.whl" data-requires-python="&#{DIGITS};">x</a><a href="&#{DIGITS};">y</a>'
    answers(server, "/pypi/simple/a/", 200, {"Content-Type": "text/html"}, page.encode())
    assert resolve().status == 1


BAD_REQUIREMENTS = {
    "a comparison without an order": 'b; python_version ~= "x"',
    "a comparison of names by version": 'b; os_name ~= "x"',
    "a variable of lock files": 'b; "x" in extras',
    "another variable of lock files": 'b; "x" in dependency_groups',
    "no variable at all": 'b; "a" == "a"',
    "a deep marker": f"b; {NESTED}",
    "a number with too many digits": f"b>={DIGITS}",
}


@pytest.mark.parametrize("name", BAD_REQUIREMENTS)
def test_metadata_that_cannot_be_evaluated_is_passed_over(server, resolve, name):
    text = (
        f"Metadata-Version: 2.1\nName: a\nVersion: 1.0\nRequires-Dist: {BAD_REQUIREMENTS[name]}\n\n"
    )
    wheel = make_wheel(Spec("a", "1.0"))
    server.indexes["pypi"].projects["a"].append(Entry(wheel.filename, wheel.content, text.encode()))
    result = resolve()
    assert result.status == 0, result.err
    assert 'version = "0.9"' in result.out


def test_requirements_without_number_are_passed_over(server, run):
    index = server.index("pypi", metadata_files=True)
    index.add(Spec("b", "1.0"))
    index.add(Spec("a", "0.9"))
    index.add(Spec("a", "1.0", tuple(f"b>=0.{number}" for number in range(20_000))))
    result = run("resolve", "a", "--index-url", server.url("pypi"), "-o", "-")
    assert result.status == 0, result.err
    assert 'version = "0.9"' in result.out


# --- a wheel's author ---


@pytest.fixture(scope="module")
def python() -> str:
    found = find_python("3.10")
    if found is None:
        pytest.skip("no CPython 3.10 on this machine")
    return found


@pytest.mark.parametrize(
    "name",
    [
        "mine-1.0.data",
        "mine",
        f"mine-1.0.data/data/{UNFINISHED}",
        "mine-1.0.data/purelib/evil-1.0.dist-info/METADATA",
        "mine-1.0.data/purelib/mine-1.0.dist-info/RECORD",
        "mine-1.0.data/platlib/mine-1.0.dist-info/INSTALLER",
        "~mine/x.py",
        "mine-1.0.data/purelib/~mine.py",
    ],
)
def test_a_wheel_that_could_never_be_in_order_is_refused(server, run, python, name):
    """Each was written, and then never ended or never was what the lock says."""
    write_archive(Path("own"), {name: b"Name: evil\n"})
    server.index("pypi")
    options = ("--index-url", server.url("pypi"), "--output-dir", "lock", "-f", "own")
    assert run("resolve", "mine", *options).status == 0
    result = run("sync", "lock", "--venv", "env", "--python", python, "-f", "own")
    assert (result.status, result.code) == (3, "bad-wheel"), result.err
    assert not list(Path("env").rglob("mine*"))


# --- a lock's author ---


@pytest.mark.parametrize("command", ["env", "fetch", "audit", "nix", "verify"])
@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.update({"requires-python": f">={DIGITS}"}),
        lambda data: data["packages"][0].update({"requires-python": f">={DIGITS}"}),
        lambda data: data["packages"][0].update({"marker": NESTED * 2}),
        lambda data: data.update({"environments": [NESTED * 2]}),
        lambda data: data["tool"]["rdna1-lock"]["inputs"].update(
            {"requirements": [{"requirement": f"torch; {NESTED}", "from": "x"}]}
        ),
        lambda data: data["tool"]["rdna1-lock"]["inputs"].update(
            {"requirements": [{"requirement": 'torch; "x" in extras', "from": "x"}]}
        ),
    ],
)
def test_a_lock_with_what_cannot_be_evaluated(run, command, change):
    folder = Path("hostile")
    folder.mkdir()
    (folder / "pylock.toml").write_bytes(
        (ROOT / "locks" / "rocm5.2-cp310" / "pylock.toml").read_bytes()
    )
    edit_lock(folder, change)
    result = run(command, "hostile")
    assert result.status in {0, 3}, result.err
    if command != "audit":
        assert result.code == "bad-lock", result.err


# --- a clumsy user ---


@pytest.mark.parametrize("name", BAD_REQUIREMENTS)
def test_a_requirement_that_cannot_be_evaluated(run, name):
    text = BAD_REQUIREMENTS[name]
    result = run("resolve", text, "--offline", "-o", "-")
    assert (result.status, result.code) == (2, "bad-argument"), result.err
    Path("r.txt").write_text(f"{text}\n")
    result = run("resolve", "-r", "r.txt", "--offline", "-o", "-")
    assert (result.status, result.code) == (3, "bad-requirement"), result.err
    assert len(result.err) < 1000


def test_a_python_bound_with_more_digits_than_a_number_has(run):
    Path("pyproject.toml").write_text(
        f'[project]\nname = "x"\nrequires-python = ">={DIGITS}"\ndependencies = ["a"]\n'
    )
    result = run("resolve", "-r", "pyproject.toml", "--offline", "-o", "-")
    assert (result.status, result.code) == (3, "bad-file"), result.err


def test_a_file_that_asks_without_end(run):
    Path("r.txt").write_text("a\n" * 2_000_000)
    result = run("resolve", "-r", "r.txt", "--offline", "-o", "-")
    assert (result.status, result.code) == (3, "bad-file"), result.err


def test_groups_that_include_each_other_twice_over(server, resolve):
    lines = [
        f'g{n} = [{{include-group = "g{n + 1}"}}, {{include-group = "G{n + 1}"}}]'
        for n in range(60)
    ]
    Path("pyproject.toml").write_text("\n".join(["[dependency-groups]", *lines, 'g60 = ["a"]']))
    assert resolve("-r", "pyproject.toml", "--group", "g0").status == 0


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ('g = [{include-group = "h"}]\nh = [{include-group = "g"}]', "includes itself"),
        ('g = [{include-group = "h"}]', "no group `h`"),
        ("g = [3]", "neither a requirement nor a group"),
        ('g = "numpy"', "not a list"),
        ('g = ["a"]\nG = ["b"]', "two groups"),
        (
            "\n".join(f'g{n} = [{{include-group = "g{n + 1}"}}]' for n in range(2000))
            + '\ng = [{include-group = "g0"}]\ng2000 = []',
            "more than 100",
        ),
    ],
)
def test_groups_that_are_none(run, groups, words):
    Path("pyproject.toml").write_text(f"[dependency-groups]\n{groups}\n")
    result = run("resolve", "-r", "pyproject.toml", "--group", "g", "--offline", "-o", "-")
    assert (result.status, result.code) == (3, "bad-group"), result.err
    assert words in result.err


def test_a_wheel_that_is_a_fifo(run):
    name = "a-1.0-py3-none-any.whl"
    os.mkfifo(name)
    result = run("resolve", f"a @ {Path(name).absolute().as_uri()}", "--offline", "-o", "-")
    assert result.status == 1, result.err
    assert "not a regular file" in " ".join(result.err.split())


def test_clearing_a_cache_leaves_what_is_not_the_caches(run):
    """`--cache-dir` may name a folder with other things in it, also one called environments."""
    mine = Path("project/environments/production/settings.toml")
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    other = Path("project/v1/page/notes.txt")
    other.parent.mkdir(parents=True)
    other.write_text("mine")
    entry = Path("project/v1/page/ab/cdef")
    entry.parent.mkdir()
    entry.write_text("ours")
    made = Path("project/environments") / hashlib.sha256(b"lock").hexdigest()[:16] / "pyvenv.cfg"
    made.parent.mkdir()
    made.write_text("ours")
    result = run("cache", "--clear", "--cache-dir", "project")
    assert result.status == 0, result.err
    assert mine.read_text() == other.read_text() == "mine"
    assert not entry.parent.exists()
    assert not made.parent.exists()


def in_shell(words: str) -> tuple[int, str]:
    done = subprocess.run(
        ["bash", "-c", f"{TOOL} {words}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "RDNA1_LOCK_DEBUG": ""},
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("rules >&-", 0),
        ("rules 2>&-", 0),
        ("rules --json <&- >&- 2>&-", 0),
        ("env nolock >&-", 3),
        ("env nolock 2>&-", 3),
        ("env nolock 2>/dev/full", 3),
        ("fetch nolock --json >/dev/full", 3),
        ("rules >/dev/full", 3),
        ("rules --json >/dev/full", 3),
        ("--version >/dev/full", 3),
        ("wheel a <&-", 2),
        ("env nolock 2>&1 >/dev/null | true; exit ${PIPESTATUS[0]}", 3),
    ],
)
def test_streams_that_are_closed_or_full(tmp_path, monkeypatch, words, status):
    """1 would mean "no", and 0 "yes"."""
    monkeypatch.chdir(tmp_path)
    found, said = in_shell(words)
    assert "Traceback" not in said
    assert found == status, said


def test_a_reader_of_remarks_that_goes_away_stops_no_task(server, run, monkeypatch):
    options = replica_options(server)
    assert run("resolve", *options, "--output-dir", "lock", "-q").status == 0
    Path("lock/pylock.toml").unlink()
    words = " ".join(["resolve", *options, "--output-dir", "lock"])
    status, _ = in_shell(f"{words} 2>&1 | true; exit ${{PIPESTATUS[0]}}")
    assert status == 0
    assert Path("lock/pylock.toml").exists()


# --- FIFOs and other things where a file should be ---


@pytest.fixture
def default_lock() -> Path:
    folder = Path("shared")
    shutil.copytree(ROOT / "locks" / "rocm5.2-cp310", folder)
    return folder


@pytest.mark.parametrize("name", ["flake.nix", "requirements.txt", "shell.nix"])
def test_a_file_of_a_lock_that_is_a_fifo(run, default_lock, name):
    (default_lock / name).unlink()
    os.mkfifo(default_lock / name)
    result = run("resolve", "--check", "--offline", "--output-dir", default_lock)
    assert result.status in {1, 4}, result.err


@pytest.mark.parametrize("name", ["index", "HEAD"])
def test_a_repository_with_a_fifo_in_it(run, default_lock, monkeypatch, name):
    monkeypatch.setattr("rdna1_lock.tasks.nix.TIMEOUT", 1)
    subprocess.run(["git", "init", "-q", "."], check=True)
    Path(".git", name).unlink(missing_ok=True)
    os.mkfifo(Path(".git", name))
    assert run("nix", default_lock).status == 0


@pytest.mark.parametrize("name", ["certificate.json", "report.json"])
@pytest.mark.parametrize("kind", ["fifo", "zeros"])
def test_a_certificate_that_is_no_file(run, default_lock, name, kind):
    for one in ("certificate.json", "report.json"):
        (default_lock / one).write_text("{}")
    (default_lock / name).unlink()
    if kind == "fifo":
        os.mkfifo(default_lock / name)
    else:
        (default_lock / name).symlink_to("/dev/zero")
    result = run("verify", "--certificate", default_lock, default_lock)
    assert result.status in {3, 5}, result.err


def test_signers_that_are_no_file(run, default_lock):
    os.mkfifo("signers")
    for one in ("certificate.json", "report.json"):
        (default_lock / one).write_text("{}")
    result = run("verify", default_lock, "--signers", "signers")
    assert result.status in {3, 5}, result.err


@pytest.mark.parametrize("command", ["sync", "audit"])
def test_an_interpreter_that_leaves_somebody_at_its_output(server, run, python, command):
    """What it has started is in a session of its own, so that no signal reaches it."""
    write_archive(Path("own"))
    server.index("pypi")
    options = ("--index-url", server.url("pypi"), "--output-dir", "lock", "-f", "own")
    assert run("resolve", "mine", *options).status == 0
    synced = ("sync", "lock", "--venv", "env", "-f", "own")
    assert run(*synced, "--python", python).status == 0
    own = Path("env/bin/python")
    own.unlink()
    own.write_text("#!/bin/sh\nsetsid sleep 30 &\nexit 0\n")
    own.chmod(0o755)
    started = time.monotonic()
    result = run(*synced) if command == "sync" else run("audit", "env")
    assert result.status in {0, 3}, result.err
    assert time.monotonic() - started < 15


@pytest.mark.parametrize("name", ["report.json", "report.html", "certificate.json"])
def test_a_certificate_replaces_no_file_of_the_user(run, tmp_path, default_lock, name):
    report, judged = make_report(tmp_path)
    place = Path("project")
    place.mkdir()
    (place / name).write_text('{"mine": true}')
    with pytest.raises(InputError) as caught:
        write_certificate(place, report, judged, page="", keys=Keys(), environ=os.environ)
    assert caught.value.code == "foreign-files"
    # It is found out before a sweep of many minutes.
    result = run("certify", default_lock, "--rehearse", "--output-dir", place)
    assert (result.status, result.code) == (3, "foreign-files"), result.err
    assert [path.name for path in place.iterdir()] == [name]
    assert (place / name).read_text() == '{"mine": true}'
