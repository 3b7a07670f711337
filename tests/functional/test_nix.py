"""The Nix files of a lock, with real Nix, offline, against a stand-in nixpkgs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rdna1_lock.emit.formats import FORMATS
from rdna1_lock.emit.nix import NIX_FILES
from rdna1_lock.lock.model import TOOL
from support.archives import edit_lock, mark_legacy, write_archive
from support.interpreters import find_python
from support.nix import SYSTEM, Nix, need_nix
from support.replica import PINS, build_replica, replica_options
from support.server import Server
from support.wheels import Spec, make_wheel

pytestmark = pytest.mark.slow
FOLDER = Path("locks/rocm5.2-cp310")
ROOT = Path(__file__).parents[2]
VARIABLES = {
    "HSA_OVERRIDE_GFX_VERSION": "10.3.0",
    "MIOPEN_DEBUG_CONV_IMPLICIT_GEMM": "1",
    "ROCM_PATH": "/opt/rocm",
}
LOOK = """
import json, os, sys
from importlib.metadata import distributions
import numpy, pillow, requests, torch
print(json.dumps({
    "series": sys.version_info[:2], "prefix": sys.prefix, "executable": sys.executable,
    "path": sys.path, "torch": torch.__version__, "env": dict(os.environ),
    "found": {d.metadata["Name"]: d.version for d in distributions()},
}))
"""


@pytest.fixture(scope="module")
def nix(tmp_path_factory: pytest.TempPathFactory) -> Nix:
    python = need_nix()
    return Nix(tmp_path_factory.mktemp("nix"), python)


@pytest.fixture
def lock(server: Server, run) -> Path:
    made = run("resolve", *replica_options(server))
    assert made.status == 0, made.err
    server.forget()
    return FOLDER.resolve()


def ref(folder: Path) -> str:
    return f"path:{folder}"


def drv(nix: Nix, folder: Path, **more: object) -> str:
    attribute = f"{ref(folder)}#devShells.{SYSTEM}.default.drvPath"
    return nix.run("eval", "--raw", attribute, **more).stdout


def test_the_shell_holds_exactly_the_lock(nix: Nix, lock: Path, server: Server):
    seen = nix.python_in(ref(lock), LOOK, "--ignore-environment")
    assert seen["found"] == PINS
    assert seen["series"] == [3, 10]
    assert seen["prefix"].startswith(str(nix.store))
    assert seen["executable"].startswith(str(nix.store))
    assert VARIABLES.items() <= seen["env"].items()
    assert "LEAK" not in seen["env"]
    assert "HOME" not in seen["env"]
    outside = [
        place
        for place in seen["path"]
        if "site-packages" in place and not place.startswith(str(nix.store))
    ]
    assert outside == []
    # Each wheel came once, and those of ROCm through a URL with %2B.
    fetched = [path for path in server.paths() if path.endswith(".whl")]
    assert len(fetched) == len(set(fetched)) == len(PINS)
    assert any("%2B" in path for path in fetched)


def test_the_loader_path_is_for_python_alone(nix: Nix, lock: Path):
    host = {"LD_LIBRARY_PATH": "/opt/rocm/lib", "PYTHONPATH": "/nowhere"}
    show = "import json, os; print(json.dumps(dict(os.environ)))"
    inside = json.loads(nix.run("develop", ref(lock), "-c", "python", "-c", show, env=host).stdout)
    assert inside["LD_LIBRARY_PATH"].startswith(str(nix.store))
    assert "/opt/rocm" not in inside["LD_LIBRARY_PATH"]
    assert "PYTHONPATH" not in inside
    shell = nix.run("develop", ref(lock), "-c", "bash", "-c", "echo $LD_LIBRARY_PATH", env=host)
    assert shell.stdout.strip() == "/opt/rocm/lib"


def test_run_check_and_nix_shell(nix: Nix, lock: Path):
    code = "import os, torch; print(torch.__version__, os.environ['HSA_OVERRIDE_GFX_VERSION'])"
    expected = f"{PINS['torch']} 10.3.0"
    assert nix.run("run", ref(lock), "--", "-c", code).stdout.strip() == expected
    nix.run("flake", "check", ref(lock))
    shown = json.loads(nix.run("flake", "show", "--json", ref(lock)).stdout)
    assert set(shown) == {"apps", "checks", "devShells", "packages"}
    classic = nix.plain(
        *("nix-shell", "--pure", lock / "shell.nix", "--arg", "pkgs", f"import {nix.nixpkgs} {{}}"),
        *("--run", f'python -c "{code}"'),
        env={"NIX_BUILD_SHELL": "/bin/bash"},
    )
    assert classic.stdout.strip() == expected


def test_check_finds_an_environment_that_is_not_the_lock(nix: Nix, lock: Path):
    text = (lock / "env.nix").read_text()
    broken = text.replace(
        "    # The loader path is",
        "    rm -r $out/${python.sitePackages}/idna-*\n    # The loader path is",
    )
    assert broken != text
    (lock / "env.nix").write_text(broken)
    nix.run("build", f"{ref(lock)}#env", "--no-link")
    failed = nix.run("flake", "check", ref(lock), ok=False)
    assert re.search(r"installed: \{(?!.*idna).*\}\n.*locked: .*'idna': '3.10'", failed.stderr)


def test_the_derivation_depends_on_the_lock_alone(nix: Nix, lock: Path, tmp_path: Path):
    first = drv(nix, lock)
    assert first == drv(nix, lock)
    # Another machine: other folders, other times, another cache.
    away = tmp_path / "elsewhere" / "deep"
    shutil.copytree(lock, away)
    for name in away.iterdir():
        os.utime(name, (1, 1))
    pkgs = tmp_path / "pkgs"
    shutil.copytree(nix.nixpkgs, pkgs)
    other = {"XDG_CACHE_HOME": str(tmp_path / "cache2"), "LC_ALL": "C", "TZ": "Asia/Tokyo"}
    assert first == drv(nix, away, override=pkgs, env=other)
    text = (away / "pylock.toml").read_text()
    (away / "pylock.toml").write_text(text.replace('"10.3.0"', '"10.3.1"'))
    assert first != drv(nix, away)


def test_built_twice_is_the_same_to_the_byte(nix: Nix, lock: Path):
    def build() -> str:
        nix.run("build", f"{ref(lock)}#env", "--no-link")
        path = nix.run("eval", "--raw", f"{ref(lock)}#env.outPath").stdout
        told = json.loads(nix.plain("nix", "path-info", "--json", path).stdout)
        [info] = told.values() if isinstance(told, dict) else told
        return str(info["narHash"])

    first = build()
    nix.plain("nix-store", "--gc")
    assert build() == first


def test_a_wrong_hash_fails(nix: Nix, lock: Path, server: Server):
    [numpy] = [e for e in server.indexes["pypi"].projects["numpy"] if "1.26.4-cp310" in e.filename]
    nix.plain("nix-store", "--gc")
    numpy.content = numpy.content + b"x"
    failed = nix.run("build", f"{ref(lock)}#env", "--no-link", ok=False)
    assert "hash mismatch in fixed-output derivation" in failed.stderr


@pytest.mark.parametrize(
    ("stand_in", "words"),
    [
        ({"glibc": "2.42-1"}, "load only below 2.41"),
        ({"gone": ["python310"]}, "has no python310"),
        ({"gone": ["zstd"]}, "has no zstd"),
    ],
)
def test_another_nixpkgs_that_cannot_work_is_told(nix: Nix, lock: Path, stand_in, words, request):
    place = nix.stand_in(f"pkgs-{request.node.name}", **stand_in)
    failed = nix.run("eval", "--raw", f"{ref(lock)}#env.drvPath", ok=False, override=place)
    assert words in failed.stderr


def test_the_pin_is_complete_and_not_rewritten(nix: Nix, lock: Path):
    before = (lock / "flake.lock").read_bytes()
    nix.plain("nix", "flake", "lock", ref(lock))
    told = json.loads(nix.plain("nix", "flake", "metadata", "--json", ref(lock)).stdout)
    assert told["locks"]["nodes"]["nixpkgs"]["locked"]["rev"].startswith("ac62194c")
    nix.run("flake", "show", ref(lock))
    assert (lock / "flake.lock").read_bytes() == before


def test_a_portable_lock_fetches_by_name_and_hash(nix: Nix, server: Server, run, tmp_path: Path):
    made = run("resolve", "--portable", *replica_options(server))
    assert made.status == 0, made.err
    for each in server.indexes["pypi"].projects.values():
        for entry in each:
            (tmp_path / entry.filename).write_bytes(entry.content)
            nix.mirror([tmp_path / entry.filename])
    derivation = nix.run("eval", "--raw", f"{ref(FOLDER.resolve())}#wheelhouse.drvPath").stdout
    needed = nix.plain("nix-store", "--query", "--references", derivation).stdout
    urls = [
        re.search(r'"url","([^"]+)"', Path(path).read_text())[1]
        for path in needed.split()
        if path.endswith(".whl.drv")
    ]
    many = "cp310-cp310-manylinux_2_17_x86_64.manylinux2014_x86_64"
    expected = f"https://files.invalid/packages/cp310/n/numpy/numpy-1.26.4-{many}.whl"
    assert expected in urls
    assert nix.python_in(ref(FOLDER.resolve()), LOOK)["found"] == PINS


def test_fetched_wheels_are_put_into_the_store(
    nix: Nix, server: Server, run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    own = make_wheel(Spec("ours", "1!2.0"))
    Path("own").mkdir()
    Path("own", own.filename).write_bytes(own.content)
    default, rocm = build_replica(server)
    where = ["--index-url", default, "--rocm-index-url", rocm]
    asked = ["torch", "torchvision", "ours", "-f", "own"]
    made = run("resolve", *asked, "--portable", "--no-catalogue", *where)
    assert made.status == 0, made.err
    folder = FOLDER.resolve()
    nix.plain("nix-store", "--gc")
    failed = nix.run("build", f"{ref(folder)}#env", "--no-link", ok=False)
    assert "rdna1-lock nix FOLDER --add-wheels" in failed.stderr
    for name, value in nix.env.items():
        monkeypatch.setenv(name, value)
    none = run("nix", FOLDER, "--add-wheels")
    assert (none.status, none.code) == (3, "no-wheels")
    assert run("fetch", FOLDER, *where[:2], "-f", "own").status == 0
    told = run("nix", FOLDER, "--add-wheels", "--json")
    assert told.status == 0, told.err
    answer = json.loads(told.out)
    assert (len(answer["added"]), answer["missing"], answer["changed"]) == (11, [], [])
    server.forget()
    nix.run("build", f"{ref(folder)}#env", "--no-link")
    assert server.log == []
    # A wheel that is not the locked one is not taken.
    torch = next(folder.glob("wheels/torch-*"))
    torch.write_bytes(b"another")
    said = run("nix", FOLDER, "--add-wheels")
    assert said.status == 0
    assert f"{torch.name} is not on disk" in said.err


def test_the_files_are_added_to_an_older_lock(lock: Path, run):
    for name in NIX_FILES:
        (lock / name).unlink()
    (lock / "env.nix").write_text(
        "# Written by rdna1-lock. Fixed text: of an older release.\n{ }\n"
    )
    told = run("nix", FOLDER)
    assert told.status == 0, told.err
    assert "nix develop ./locks/rocm5.2-cp310" in told.err
    for name in NIX_FILES:
        source = ROOT / "resolver" / "rdna1_lock" / "emit" / "nixfiles" / name
        assert (lock / name).read_bytes() == source.read_bytes()
    assert "are up to date" in run("nix", FOLDER / "pylock.toml").err


def test_untracked_files_are_told(lock: Path, run):
    subprocess.run(["git", "init", "-q"], check=True)
    said = run("nix", FOLDER)
    [told] = [line for line in said.err.splitlines() if "git add" in line]
    assert {f"{FOLDER}/{name}" for name in (one.filename for one in FORMATS)} <= set(told.split())
    subprocess.run(["git", "add", "."], check=True)
    assert "git add" not in run("nix", FOLDER).err


def test_without_nix_the_way_out_is_told(lock: Path, run, monkeypatch: pytest.MonkeyPatch):
    git = Path(shutil.which("git") or "git")
    only = Path("bin")
    only.mkdir()
    (only / "git").symlink_to(git)
    monkeypatch.setenv("PATH", str(only.resolve()))
    assert run("nix", FOLDER).status == 0
    told = run("nix", FOLDER, "--add-wheels")
    assert (told.status, told.code) == (3, "no-nix")


def test_a_file_of_another_name_is_no_flake(lock: Path, run):
    (lock / "pylock.toml").rename(lock / "pylock.work.toml")
    told = run("nix", lock / "pylock.work.toml")
    assert (told.status, told.code) == (3, "not-pylock")


def legacy_lock(server: Server, run, series: str) -> Path:
    """Lock a wheel with a specifier from before PEP 440, and one that spells its version anew."""
    write_archive(Path("own"), metadata="Requires-Dist: numpy (>=1.19.*)\n")
    write_archive(Path("own"), name="dated", version="2019.02.07")
    server.index("pypi").add(Spec("numpy", "1.26.4"))
    asked = ["mine", "dated", "numpy", "--python-version", series, "--output-dir", "lock"]
    made = run("resolve", *asked, "--index-url", server.url("pypi"), "-f", "own")
    assert made.status == 0, made.err
    return Path("lock").resolve()


def unmarked(data: dict[str, Any]) -> None:
    for package in data["packages"]:
        package.get("tool", {}).get(TOOL, {}).pop("legacy-metadata", None)


@pytest.mark.parametrize("series", ["3.10", "3.13"])
def test_metadata_from_before_pep_440(
    nix: Nix, server: Server, run, monkeypatch: pytest.MonkeyPatch, series: str
):
    """With pip 23, which takes such a wheel, and with 24.2, which refuses it."""
    python = find_python(series)
    if python is None:
        pytest.skip(f"no CPython {series} on this machine")
    place = nix.stand_in(f"pkgs-{series}", python=python, series=series)
    folder = legacy_lock(server, run, series)
    for name, value in nix.env.items():
        monkeypatch.setenv(name, value)
    told = run("nix", folder, "--add-wheels", "--wheels", "own")
    assert told.status == 0, told.err
    edit_lock(folder, unmarked)
    without = nix.run("build", "--no-link", ref(folder), override=place, ok=series == "3.10")
    assert ("has invalid metadata" in without.stderr) is (series != "3.10")
    mark_legacy(folder, "mine")
    nix.run("flake", "check", ref(folder), override=place)
    code = (
        "from importlib.metadata import distribution as d; print(d('mine').read_text('METADATA'))"
    )
    seen = nix.run("run", ref(folder), "--", "-c", code, override=place)
    assert "numpy (>=1.19.*)" in seen.stdout, "the wheel is installed unmodified"
