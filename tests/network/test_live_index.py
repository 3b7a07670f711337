"""The default index for real: full pages, range reads, and reproducible bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rdna1_lock import toml

pytestmark = pytest.mark.network
FOLDER = Path("locks/rocm5.2-cp310")


def test_the_default_lock_from_nothing(run, tmp_path):
    result = run("resolve", "--json")
    assert result.status == 0, result.err
    data = json.loads(result.out)
    found = {p["name"]: p for p in data["packages"]}
    assert found["torch"]["sha256"].startswith("f3685d08")
    assert found["torchvision"]["sha256"].startswith("a01606fc")
    assert found["numpy"]["version"] == "1.26.4"
    assert all(p["sha256"] for p in data["packages"])
    assert len(data["packages"]) >= 10
    before = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    for options in (
        ["--upgrade"],
        ["--upgrade", "--cache-dir", str(tmp_path / "other")],
        ["--upgrade", "--offline"],
    ):
        assert run("resolve", *options).status == 0
        assert {path.name: path.read_bytes() for path in FOLDER.iterdir()} == before


def test_a_project_without_torch_for_a_new_python(run):
    result = run(
        "resolve", "flask", "httpx[http2]", "--python-version", "3.13", "-o", "pylock.toml"
    )
    assert result.status == 0, result.err
    names = {p["name"] for p in toml.loads(Path("pylock.toml").read_text())["packages"]}
    assert {"flask", "werkzeug", "httpx", "h2", "hpack"} <= names


def test_a_project_without_wheels_is_told(run):
    result = run("resolve", "pyspark", "-o", "pylock.toml")
    assert result.status == 1
    assert "source distributions only" in result.err


def test_a_project_that_does_not_exist(run):
    result = run("resolve", "rdna1-lock-there-is-no-such-project", "-o", "pylock.toml")
    assert result.status == 1
    assert "there is no project" in result.err
