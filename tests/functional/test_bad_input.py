"""A user's mistake: a clear error, the right exit status, nothing overwritten, no traceback."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from rdna1_lock.cli.main import COMMANDS, main
from support.replica import build_replica, replica_options

FOLDER = Path("locks/rocm5.2-cp310")

USAGE = [
    (["resolve", "--stack", "rocm9"], "unknown-stack"),
    (["resolve", "--gfx", "gfx1030"], "unknown-gfx"),
    (["resolve", "--python-version", "two"], "bad-python-version"),
    (["resolve", "--python-version", "2.7"], "bad-python-version"),
    (["resolve", "--platform", "win_amd64"], "bad-platform"),
    (["resolve", "--platform", "manylinux_2_2_x86_64"], "bad-platform"),
    (["resolve", "=="], "bad-argument"),
    (["resolve", "numpy>=what"], "bad-argument"),
    (["resolve", "./nowhere.whl"], "bad-argument"),
    (["resolve", "https://f.example/a-1.tar.gz"], "bad-argument"),
    (["resolve", "--index-url", "ftp://i.example"], "bad-index-url"),
    (["resolve", "--rocm-index-url", "/srv/wheels"], "bad-index-url"),
    (["resolve", "--find-links", "nowhere"], "no-folder"),
    (["resolve", "--exclude-newer", "soon"], "bad-date"),
    (["resolve", "-o", "lock.json"], "unknown-format"),
    (["resolve", "-o", "other.toml"], "unknown-format"),
    (["resolve", "--name", "../up"], "bad-name"),
    (["resolve", "--offline", "--live"], "options-clash"),
    (["resolve", "--live", "--no-catalogue"], "options-clash"),
    (["resolve", "--name", "a", "--output-dir", "b"], "options-clash"),
    (["resolve", "-o", "a.txt", "--name", "b"], "options-clash"),
    (["resolve", "-o", "-", "--check"], "options-clash"),
    (["resolve", "-o", "-", "--json"], "options-clash"),
    (["resolve", "--extra", "x"], "no-pyproject"),
    (["resolve", "--unknown"], "usage"),
    (["frobnicate"], "usage"),
    (["rules", "R99"], "unknown-rule"),
]


@pytest.mark.parametrize(
    ("arguments", "code"),
    USAGE,
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage(run, arguments, code):
    result = run(*arguments)
    assert (result.status, result.code) == (2, code), result.err
    assert "hint:" in result.err or code in {"options-clash", "no-pyproject", "no-folder"}
    assert list(Path().iterdir()) == []


FILES = [
    ("numpy >=\n", "reqs.in:1", "bad-requirement"),
    ("# fine\nnumpy\nrequests ==\n", "reqs.in:3", "bad-requirement"),
    ("numpy\\\n  >=\n", "reqs.in:1", "bad-requirement"),
    ("-e .\n", "editable", "not-a-wheel"),
    ("./folder\n", "reqs.in:1", "not-a-wheel"),
    ("git+https://code.example/a.git\n", "reqs.in:1", "not-a-wheel"),
    ("-r missing.in\n", "missing.in", "no-file"),
    ("-r reqs.in\n", "includes itself", "file-loop"),
    ("--no-binary :all:\n", "--no-binary", "bad-option"),
    ("numpy --hash=md5\n", "--hash", "bad-option"),
    ("--find-links nowhere\n", "nowhere", "bad-find-links"),
    (
        "--extra-index-url https://other.example/simple\n",
        "whichever index has the higher version",
        "extra-index",
    ),
]


@pytest.mark.parametrize(("text", "fragment", "code"), FILES, ids=lambda value: value[:20].strip())
def test_bad_requirements_files(run, text, fragment, code):
    Path("reqs.in").write_text(text)
    result = run("resolve", "-r", "reqs.in")
    assert (result.status, result.code) == (3, code), result.err
    assert fragment in " ".join(result.err.split())
    assert not Path("locks").exists()


def test_binary_and_unreadable_files(run):
    Path("reqs.in").write_bytes(b"\xff\xfe\x00")
    assert run("resolve", "-r", "reqs.in").code == "bad-file"
    Path("folder").mkdir()
    assert run("resolve", "-r", "folder").code == "bad-file"
    assert run("resolve", "-r", "nowhere.in").code == "no-file"
    assert run("resolve", "-c", "nowhere.in").status == 3


PYPROJECTS = [
    ("[", "bad-file"),
    ("[tool.x]\n", "bad-file"),
    ('[project]\nname = "p"\ndynamic = ["dependencies"]\n', "dynamic-dependencies"),
    ('[project]\nname = "p"\ndependencies = [3]\n', "bad-file"),
    ('[project]\nname = "p"\ndependencies = ["=="]\n', "bad-requirement"),
    ('[project]\nname = "p"\nrequires-python = "three"\n', "bad-file"),
]


@pytest.mark.parametrize(("text", "code"), PYPROJECTS)
def test_bad_pyprojects(run, text, code):
    Path("pyproject.toml").write_text(text)
    result = run("resolve", "-r", "pyproject.toml")
    assert (result.status, result.code) == (3, code), result.err


def test_unknown_extra_and_group(run):
    Path("pyproject.toml").write_text(
        '[project]\nname = "p"\n[project.optional-dependencies]\nx = ["numpy"]\n'
    )
    assert run("resolve", "-r", "pyproject.toml", "--extra", "y").code == "no-extra"
    assert run("resolve", "-r", "pyproject.toml", "--group", "y").code == "bad-group"


LOCKS = [
    ("not toml [", "bad-lock"),
    ('lock-version = "1.0"\n', "bad-lock"),
    ('lock-version = "9.0"\ncreated-by = "x"\npackages = []\n', "newer-lock"),
    ('lock-version = "1.0"\ncreated-by = "uv"\npackages = []\n', "foreign-lock"),
    (
        'lock-version = "1.0"\ncreated-by = "x"\npackages = []\n[tool.rdna1-lock]\nschema = 99\n',
        "newer-lock",
    ),
    (
        'lock-version = "1.0"\ncreated-by = "x"\npackages = []\n[tool.rdna1-lock]\nschema = 1\n',
        "bad-lock",
    ),
    ('lock-version = "1.0"\ncreated-by = "x"\npackages = []\n[tool.rdna1-lock]\n', "bad-lock"),
]


@pytest.mark.parametrize(("text", "code"), LOCKS)
@pytest.mark.parametrize("single", [False, True])
def test_a_lock_that_cannot_be_read_is_not_overwritten(server, run, text, code, single):
    path = Path("pylock.toml") if single else FOLDER / "pylock.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    options = ["-o", "pylock.toml"] if single else []
    result = run("resolve", *replica_options(server), *options)
    assert (result.status, result.code) == (3, code), result.err
    assert path.read_text() == text
    assert server.log == []


def test_a_file_where_the_folder_should_be(run):
    Path("locks").mkdir()
    FOLDER.write_text("mine")
    assert run("resolve").code == "not-a-folder"
    assert FOLDER.read_text() == "mine"


def test_a_folder_that_cannot_be_written(server, run):
    Path("locks").symlink_to("/proc/nowhere")
    result = run("resolve", *replica_options(server))
    assert (result.status, result.code) == (3, "cannot-write"), result.err


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def junk(body: bytes, kind: str, status: int = 200):
    def fault(handler) -> bool:
        handler.answer(status, body, {"Content-Type": kind})
        return True

    return fault


INDEXES = [
    (junk(b"<html><body>Welcome to the hotel</body></html>", "text/html"), "not-an-index"),
    (junk(b"{", "application/vnd.pypi.simple.v1+json"), "not-an-index"),
    (junk(b"\x00\x01", "application/octet-stream"), "not-an-index"),
    (junk(b"no", "text/plain", 401), "http-status"),
    (junk(b"no", "text/plain", 403), "http-status"),
    (junk(b"no", "text/plain", 500), "http-status"),
    (junk(b"no", "text/plain", 418), "http-status"),
]


@pytest.mark.parametrize(("fault", "code"), INDEXES)
def test_an_index_that_sends_junk(server, run, fault, code):
    default, _ = build_replica(server)
    assert run("resolve", "--index-url", default).status == 0
    before = {path: path.read_bytes() for path in FOLDER.iterdir()}
    server.faults["/pypi/simple/idna/"] = fault
    result = run("resolve", "-U", "--index-url", default)
    assert (result.status, result.code) == (4, code), result.err
    assert "/pypi/simple/idna/" in result.err
    assert {path: path.read_bytes() for path in FOLDER.iterdir()} == before


def test_an_index_that_is_down(run):
    result = run("resolve", "numpy", "--index-url", f"http://127.0.0.1:{free_port()}/simple")
    assert (result.status, result.code) == (4, "unreachable")
    assert "connection refused" in result.err


def test_a_host_that_does_not_exist(run, monkeypatch):
    def nobody(*args: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    result = run("resolve", "numpy", "--index-url", "https://index.invalid/simple")
    assert (result.status, result.code) == (4, "unreachable")
    assert "the name of the host is not known" in result.err


def test_broken_rules_are_an_input_error(run, monkeypatch, tmp_path):
    (tmp_path / "rules.toml").write_text("schema = 1\nrules = 3\n")
    monkeypatch.setattr("rdna1_lock.rules.load.constraints_dir", lambda: tmp_path)
    result = run("resolve")
    assert (result.status, result.code) == (3, "bad-rule-file")


def test_a_bug_is_reported_as_one(run, monkeypatch, capsys):
    monkeypatch.delenv("RDNA1_LOCK_DEBUG")
    monkeypatch.setattr("rdna1_lock.tasks.resolve.load_rules", lambda: 1 / 0)
    assert main(["resolve"]) == 70
    err = capsys.readouterr().err
    assert "error[bug]: ZeroDivisionError" in err
    assert "Traceback" not in err


def test_interruption(run, monkeypatch):
    def stop() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rdna1_lock.tasks.resolve.load_rules", stop)
    assert run("resolve").status == 130


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help(run, command):
    result = run(*command.split(), "--help")
    assert result.status == 0
    assert result.out.startswith("Usage: rdna1-lock")


def test_a_requirement_file_with_everything_that_is_allowed(server, run):
    default, rocm = build_replica(server)
    Path("sub").mkdir()
    Path("sub/more.in").write_text("charset_normalizer\n")
    Path("sub/bounds.txt").write_text("idna<3.10\n")
    Path("reqs.in").write_text(
        "\ufeff# a comment\n"
        f"--index-url {default}\n"
        "--extra-index-url https://download.pytorch.org/whl/rocm5.2/\n"
        "--trusted-host=index.example\n"
        "-rsub/more.in\n"
        "-c sub/bounds.txt\n"
        "idna >= 3 \\\n  , < 5 ; python_version >= '3.8'  # why not\n"
        "requests[socks]\n"
        "win-only; sys_platform == 'win32'\n"
    )
    result = run(
        "resolve", "-r", "reqs.in", "-o", "out.txt", "--no-catalogue", "--rocm-index-url", rocm
    )
    assert result.status == 0, result.err
    assert "the line is not needed" in result.err
    text = Path("out.txt").read_text()
    assert "idna==3.9" in text
    assert "pysocks==1.7.1" in text
    assert "-r more.in" in text
    assert "win-only" not in text


def test_hashes_in_a_requirements_file_bind(server, run):
    default, _ = build_replica(server)
    Path("reqs.txt").write_text(f"idna==3.10 --hash=sha256:{'0' * 64} --hash=sha256:{'1' * 64}\n")
    result = run("resolve", "-r", "reqs.txt", "-o", "out.txt", "--index-url", default)
    assert (result.status, result.code) == (5, "hash-mismatch")


def test_pyproject(server, run):
    default, _ = build_replica(server)
    Path("pyproject.toml").write_text(
        '[project]\nname = "My.App"\nrequires-python = ">=3.9"\ndependencies = ["idna"]\n'
        '[project.optional-dependencies]\nweb = ["urllib3"]\nall = ["my-app[web]", "certifi"]\n'
        '[dependency-groups]\ndev = ["pysocks", {include-group = "more"}]\nmore = ["typing-extensions"]\n'
    )
    options = ["-r", "pyproject.toml", "-o", "out.txt", "--index-url", default]
    assert run("resolve", *options, "--extra", "All", "--group", "dev").status == 0
    names = [
        line.split("==")[0] for line in Path("out.txt").read_text().splitlines() if "==" in line
    ]
    assert names == ["certifi", "idna", "pysocks", "typing-extensions", "urllib3"]
    refused = run("resolve", *options, "--python-version", "3.8")
    assert refused.status == 1
    assert "pyproject.toml: project.requires-python" in refused.err
