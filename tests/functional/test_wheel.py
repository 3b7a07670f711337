"""``wheel``: asks first, builds with the target's interpreter, keeps what is there."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import pytest

from support.interpreters import find_python
from support.server import Server

BACKEND = """
import pathlib, sys, zipfile
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    pathlib.Path({marker!r}).write_text("%d.%d" % sys.version_info[:2])
    if {fails!r}:
        raise SystemExit("the compiler is missing")
    name = "a-1.0-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(wheel_directory) / name, "w") as archive:
        archive.writestr("a.py", "BUILT = %r" % {salt!r})
        archive.writestr("a-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: a\\nVersion: 1.0\\n")
        archive.writestr("a-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr("a-1.0.dist-info/RECORD", "")
    return name
"""


@pytest.fixture
def python() -> str:
    found = find_python("3.10")
    if found is None:
        pytest.skip("no CPython 3.10 on this machine")
    return found


def sdist(server: Server, tmp_path: Path, *, salt: str = "1", fails: bool = False) -> Path:
    """Serve a source distribution of `a` whose backend leaves a mark; returns the mark."""
    import io
    import tarfile

    marker = tmp_path / "ran"
    files = {
        "a-1.0/pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "a-1.0/backend.py": BACKEND.format(marker=str(marker), salt=salt, fails=fails),
        "a-1.0/PKG-INFO": "Metadata-Version: 2.1\nName: a\nVersion: 1.0\n",
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    index = server.index("pypi", kind="html")
    index.projects.clear()
    index.add_sdist("a", "1.0")
    index.projects["a"][0].content = buffer.getvalue()
    return marker


def test_without_a_terminal_nothing_runs_unless_told(server, run, tmp_path, python):
    marker = sdist(server, tmp_path)
    result = run("wheel", "a==1.0", "--python", python, "--index-url", server.url("pypi"))
    assert (result.status, result.code) == (2, "not-asked")
    assert "runs the code of a==1.0" in result.err
    assert not marker.exists()
    assert not Path("wheels").exists()


def test_a_built_wheel_is_locked_by_its_hash(server, run, tmp_path, python):
    marker = sdist(server, tmp_path)
    options = ["--index-url", server.url("pypi")]
    refused = run("resolve", "a", *options)
    assert refused.status == 1
    assert "rdna1-lock wheel a==1.0" in refused.err
    assert not marker.exists()
    result = run("wheel", "a==1.0", "--python", python, *options, "--yes", "--json")
    assert result.status == 0, result.err
    [wheel] = json.loads(result.out)["wheels"]
    assert marker.read_text() == "3.10"
    assert zipfile.is_zipfile(wheel["path"])
    assert [path.name for path in Path("wheels").iterdir()] == ["a-1.0-py3-none-any.whl"]
    locked = run("resolve", "a", *options, "--find-links", "wheels", "--output-dir", "lock")
    assert locked.status == 0, locked.err
    assert wheel["sha256"] in Path("lock/pylock.toml").read_text()


def test_a_wheel_that_is_there_is_not_replaced(server, run, tmp_path, python):
    options = ["--python", python, "--index-url", server.url("pypi"), "--yes"]
    sdist(server, tmp_path)
    assert run("wheel", "a", *options).status == 0
    before = Path("wheels/a-1.0-py3-none-any.whl").read_bytes()
    sdist(server, tmp_path, salt="2")
    result = run("wheel", "a", *options)
    assert (result.status, "error[hash-mismatch]" in result.err) == (5, True)
    assert Path("wheels/a-1.0-py3-none-any.whl").read_bytes() == before


def test_a_release_that_is_not_there_is_told(server, run, tmp_path, python):
    sdist(server, tmp_path)
    options = ["--python", python, "--index-url", server.url("pypi"), "--yes"]
    result = run("wheel", "a==99", *options)
    assert (result.status, result.code) == (3, "build-failed")
    assert "the index has no release `a==99`" in result.err


def test_a_build_that_fails_says_why_and_leaves_nothing(server, run, tmp_path, python):
    sdist(server, tmp_path, fails=True)
    result = run("wheel", "a", "--python", python, "--index-url", server.url("pypi"), "--yes")
    assert (result.status, "error[build-failed]" in result.err) == (3, True)
    assert "the compiler is missing" in result.err
    assert list(Path("wheels").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["=="], "bad-argument"),
        (["a @ https://h.example/a-1.0-py3-none-any.whl"], "bad-argument"),
        (["a", "--python", "/nowhere/python"], "wrong-python"),
        (["a", "--python", sys.executable, "--python-version", "3.7"], "wrong-python"),
    ],
)
def test_mistakes(run, arguments, code):
    result = run("wheel", *arguments, "--yes")
    assert (result.status, result.code) == (2, code), result.err


def test_all_projects_without_a_wheel_are_named_at_once(server: Server, run):
    index = server.index("pypi")
    for name in ("a", "b", "c"):
        index.add_sdist(name, "1.0")
    from support.wheels import Spec

    index.add(Spec("d", "1.0", ("c",)))
    result = run("resolve", "a", "b", "d", "--index-url", server.url("pypi"))
    assert (result.status, result.code) == (1, "no-solution")
    assert "rdna1-lock wheel" in result.err
    for name in ("a==1.0", "b==1.0", "c==1.0"):
        assert name in result.err.partition("hint:")[2]
    assert "d 1.0 needs it" in result.err


def test_what_was_passed_over_for_want_of_a_wheel_is_told(server: Server, run):
    from support.wheels import Spec

    index = server.index("pypi")
    index.add(Spec("old", "1.0"))
    index.add_sdist("old", "2.0")
    index.add(Spec("app", "1.0"))
    index.add(Spec("app", "2.0", ("needy",)))
    index.add_sdist("needy", "1.0")
    result = run("resolve", "old", "app", "--index-url", server.url("pypi"), "--output-dir", "lock")
    assert result.status == 0, result.err
    text = " ".join(result.err.split())
    assert (
        "old 1.0, newest 2.0: it has no wheel for this target, only a source distribution" in text
    )
    assert "build it: rdna1-lock wheel old==2.0" in text
    assert "app 1.0, newest 2.0: it needs needy, which has no wheel for this target" in text
