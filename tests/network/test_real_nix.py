"""Real Nix on real wheels: the emitted flake, and the repository's own. ROCm's are stand-ins."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import tomli_w

from rdna1_lock import __version__, toml
from rdna1_lock.lock.digests import digests
from support.nix import SYSTEM, Nix, need_nix
from support.replica import build_replica
from support.repository import ROOT, copy_repository
from support.server import Server
from tools.downloads import downloads

pytestmark = [pytest.mark.network, pytest.mark.slow]
FOLDER = Path("locks/rocm5.2-cp310")
OWN = Path("locks/rdna1-lock-cp310")
LOOK = """
import json, os, sys
from importlib.metadata import distributions
import numpy, PIL.Image, requests, torch, torchvision, typing_extensions
print(json.dumps({
    "sum": int(numpy.arange(5).sum()), "torch": torch.__version__, "path": sys.path,
    "image": PIL.Image.new("L", (2, 2)).size, "override": os.environ["HSA_OVERRIDE_GFX_VERSION"],
    "found": {d.metadata["Name"].lower().replace("_", "-"): d.version for d in distributions()},
    "libraries": sorted({line.split()[-1] for line in open("/proc/self/maps") if ".so" in line}),
}))
"""


@pytest.fixture(params=[False, True], ids=["unsandboxed", "sandboxed"])
def nix(request: pytest.FixtureRequest, tmp_path: Path) -> Nix:
    python = need_nix()
    made = Nix(tmp_path / "nix", python, sandbox=request.param)
    if request.param:
        probe = 'derivation { name = "probe"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo > $out" ]; }'
        (tmp_path / "probe.nix").write_text(probe)
        done = subprocess.run(
            ["nix-build", "--no-out-link", tmp_path / "probe.nix"],
            env=made.env,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"no sandbox here: {done.stderr.strip().splitlines()[-1]}")
    return made


@pytest.fixture
def locked(server: Server, run) -> tuple[Path, Path]:
    """A portable lock of real wheels and ROCm stand-ins, and the folder with all of them."""
    _, rocm = build_replica(server)
    made = run("resolve", "--no-catalogue", "--portable", "--rocm-index-url", rocm)
    assert made.status == 0, made.err
    kept = downloads("wheels")
    fetched = run("fetch", FOLDER, "--dest", "wheels", "-f", kept)
    assert fetched.status == 0, fetched.err
    for wheel in Path("wheels").glob("*.whl"):
        if "+rocm" not in wheel.name:
            shutil.copyfile(wheel, kept / wheel.name)
    return FOLDER.resolve(), Path("wheels").resolve()


def pins(folder: Path) -> dict[str, str]:
    lines = (folder / "requirements.txt").read_text().splitlines()
    rocm = {"torch": "1.13.1+rocm5.2", "torchvision": "0.14.1+rocm5.2"}
    plain = [line.split(" ")[0].split("==") for line in lines if "==" in line and line[0] != " "]
    return {**rocm, **dict(plain)}


def test_a_shell_of_real_wheels(nix: Nix, locked: tuple[Path, Path], server: Server):
    folder, wheels = locked
    server.forget()
    nix.mirror([wheel for wheel in wheels.glob("*.whl") if "+rocm" not in wheel.name])
    seen = nix.python_in(f"path:{folder}", LOOK, "--ignore-environment")
    assert seen["found"] == pins(folder)
    assert (seen["sum"], seen["image"], seen["override"]) == (10, [2, 2], "10.3.0")
    assert seen["torch"] == "1.13.1+rocm5.2"
    assert all("site-packages" not in p or p.startswith(str(nix.store)) for p in seen["path"])
    # The two stand-ins came by their URL, all else by name and hash.
    assert sorted(p for p in server.paths() if "%2Brocm" in p and p.endswith(".whl"))
    nix.run("flake", "check", f"path:{folder}")
    scripts = nix.run("develop", f"path:{folder}", "-c", "f2py", "-v").stdout
    assert scripts.strip() == "1.26.4"


def as_by_default(path: Path) -> None:
    """Let a lock of stand-ins say that it was made without options, as the flake's check makes it."""
    data = toml.loads(path.read_text())
    table = data["tool"]["rdna1-lock"]
    for option in ("catalogue", "rocm-index"):
        table["inputs"].pop(option, None)
    table["digests"] = digests(data)
    path.write_text(tomli_w.dumps(data))


@pytest.fixture
def repository(locked: tuple[Path, Path], nix: Nix, run) -> Path:
    """A clone whose default lock is the one of stand-ins; all its wheels are in Nix' mirror."""
    folder, wheels = locked
    clone = copy_repository(Path("repository").resolve())
    shutil.copytree(folder, clone / FOLDER, dirs_exist_ok=True)
    as_by_default(clone / FOLDER / "pylock.toml")
    own = downloads("own-wheels")
    fetched = run("fetch", clone / OWN, "--dest", own)
    assert fetched.status == 0, fetched.err
    nix.mirror([*wheels.glob("*.whl"), *own.glob("*.whl")])
    for command in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *command], cwd=clone, check=True)
    return clone


@pytest.mark.parametrize("nix", [False], ids=["unsandboxed"], indirect=True)
def test_the_repository_flake(nix: Nix, repository: Path, server: Server, run):
    flake = f"git+file://{repository}"
    shown = json.loads(nix.run("flake", "show", "--json", flake).stdout)
    assert set(shown) == {
        *("apps", "checks", "devShells", "formatter", "lib", "packages", "templates")
    }
    # The shell holds the environment and the tool beside it.
    seen = nix.python_in(flake, LOOK, "--ignore-environment")
    assert seen["found"] == pins(repository / FOLDER)
    told = nix.run("develop", flake, "-c", "rdna1-lock", "--version").stdout
    assert told.strip() == f"rdna1-lock {__version__}"
    nix.run("flake", "check", flake)
    # The tool resolves, from Nix' store, in an empty folder.
    work = repository.parent / "elsewhere"
    work.mkdir()
    options = ["--no-catalogue", "--rocm-index-url", server.url("rocm"), "--index-url"]
    resolved = nix.run("run", flake, "--", "resolve", *options, server.url("pypi"), cwd=work)
    assert "locked 10 packages" in resolved.stderr
    assert (work / FOLDER / "flake.nix").exists()
    # Built twice from nothing it is the same to the byte.
    assert nar(nix, flake) == nar(nix, flake)


def nar(nix: Nix, flake: str) -> str:
    nix.run("build", f"{flake}#packages.{SYSTEM}.default", "--no-link")
    path = nix.run("eval", "--raw", f"{flake}#packages.{SYSTEM}.default.outPath").stdout
    told = json.loads(nix.plain("nix", "path-info", "--json", path).stdout)
    [info] = told.values() if isinstance(told, dict) else told
    nix.plain("nix-store", "--gc")
    return str(info["narHash"])


@pytest.mark.parametrize("nix", [False], ids=["unsandboxed"], indirect=True)
def test_the_template_and_the_library(nix: Nix, repository: Path, tmp_path: Path):
    project = tmp_path / "project"
    project.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    nix.plain("nix", "flake", "init", "-t", f"git+file://{repository}", cwd=project)
    subprocess.run(["git", "add", "."], cwd=project, check=True)
    seen = nix.python_in(f"git+file://{project}", LOOK, "--ignore-environment")
    assert seen["torch"] == "1.13.1+rocm5.2"
    other = tmp_path / "other"
    shutil.copytree(repository / FOLDER, other / "lock")
    (other / "flake.nix").write_text(
        f"""{{
          inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.05";
          inputs.rdna1-lock = {{
            url = "git+file://{repository}";
            inputs.nixpkgs.follows = "nixpkgs";
          }};
          outputs = {{ self, nixpkgs, rdna1-lock }}: {{
            devShells.{SYSTEM}.default = (rdna1-lock.lib.fromLock {{
              pkgs = nixpkgs.legacyPackages.{SYSTEM};
              folder = ./lock;
            }}).shell;
          }};
        }}"""
    )
    again = nix.python_in(f"path:{other}", LOOK, "--ignore-environment")
    assert again["found"] == seen["found"]


@pytest.mark.parametrize("nix", [False], ids=["unsandboxed"], indirect=True)
def test_the_committed_pins_are_accepted_offline(nix: Nix, repository: Path):
    for place in (repository, repository / FOLDER, repository / OWN):
        before = (place / "flake.lock").read_bytes()
        assert before == (ROOT / "flake.lock").read_bytes()
        nix.plain("nix", "flake", "lock", f"path:{place}")
        assert (place / "flake.lock").read_bytes() == before
