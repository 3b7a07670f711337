"""Wheel, sdist, wheel from sdist and editable install all find the rules."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from rdna1_lock.emit.nix import NIX_FILES

ROOT = Path(__file__).parents[2]
RULES = sorted(
    str(path.relative_to(ROOT)) for path in (ROOT / "constraints").rglob("*") if path.is_file()
)


def run(*arguments: object, cwd: Path | None = None, **env: str) -> str:
    result = subprocess.run(
        [str(argument) for argument in arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**{k: v for k, v in os.environ.items() if k != "PYTHONPATH"}, **env},
        timeout=300,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist, and from it the wheel, with the backend that is installed here."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT)
    return folder


def test_the_wheel_from_the_sdist_holds_all_rules(built):
    [wheel] = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"rdna1_lock/{name}" for name in RULES} <= names
    assert "rdna1_lock/py.typed" in names
    needed = [p for p in (ROOT / "resolver/rdna1_lock").rglob("*") if p.is_file()]
    kept = {str(p.relative_to(ROOT / "resolver")) for p in needed if "__pycache__" not in p.parts}
    assert kept <= names, "data files and the workers as well"
    assert {f"rdna1_lock/emit/nixfiles/{name}" for name in NIX_FILES} <= names
    assert not [name for name in names if name.startswith(("tests/", "resolver/"))]


def test_the_sdist_holds_what_the_tests_need(built):
    [sdist] = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert set(RULES) <= names
    assert {
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "Makefile",
        "tests/conftest.py",
        "flake.nix",
    } <= names


def test_the_installed_wheel_runs_without_the_checkout(built, tmp_path):
    [wheel] = built.glob("*.whl")
    target = tmp_path / "site"
    run(
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        "--target",
        target,
        wheel,
    )
    code = "import rdna1_lock, rdna1_lock.rules.location as l; print(l.constraints_dir())"
    shown = run(sys.executable, "-c", code, cwd=tmp_path, PYTHONPATH=str(target))
    assert shown.strip() == str(target / "rdna1_lock" / "constraints")
    listed = run(sys.executable, "-m", "rdna1_lock", "rules", cwd=tmp_path, PYTHONPATH=str(target))
    assert "R22" in listed


def test_the_checkout_finds_its_own_rules():
    from rdna1_lock.rules.location import constraints_dir

    assert constraints_dir() == ROOT / "constraints"
