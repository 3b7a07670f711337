"""AMD's native wheels from resolve to an audited environment, on a replica in the multi-arch layout.

The pages and METADATA have the forms that public texts show: AMD's index of simple pages without
hashes, and the METADATA of the promote tool's own test fixture (TheRock, build_tools/packaging).
No live page was seen; what a real one has besides is not known.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rdna1_lock import toml
from support.interpreters import find_python
from support.replica import build_replica
from support.server import Server
from support.wheels import Spec

TAG = "cp312-cp312-linux_x86_64"
STACKS = {"therock": "7.14.0", "therock-next": "10.1.0"}
CARDS = ("gfx1010", "gfx1011", "gfx1012")


def serve_amd(server: Server, series: str) -> list[str]:
    """Serve what torch needs for its cards, and releases that a lock must not take."""
    default, _ = build_replica(server)
    server.indexes["pypi"].add(Spec("rocm-bootstrap", "0.1.0"))
    amd = server.index("amd", kind="pytorch", hashes=False, absent=403)
    wrong = {"7.14.0": ("7.14.1", "10.0.0", "7.8.0"), "10.1.0": ("7.15.0",)}[series]
    for label in (series, *wrong):
        version = f"2.12.0+rocm{label}" if label == series else f"2.12.9+rocm{label}"
        devices = {f"device-{card}": (f"amd-torch-device-{card}=={version}",) for card in CARDS}
        amd.add(Spec("torch", version, ("rocm-bootstrap", "typing-extensions"), devices, tag=TAG))
        for card in CARDS:
            amd.add(Spec(f"amd-torch-device-{card}", version, tag=TAG))
    amd.add(Spec("torch", "2.12.0+cu130", tag=TAG))
    return ["--index-url", default, "--rocm-index-url", server.url("amd")]


def env_of(run, *arguments: object) -> dict[str, str]:
    result = run("env", *arguments, "--json")
    assert result.status == 0, result.err
    return dict(json.loads(result.out))


@pytest.mark.parametrize("stack", STACKS)
def test_from_resolve_to_an_audited_environment(server: Server, run, stack: str):
    series = STACKS[stack]
    options = serve_amd(server, series)
    result = run("resolve", "--stack", stack, "--gfx", "gfx1010", *options, "--output-dir", "lock")
    assert result.status == 0, result.err
    text = " ".join(result.err.split())
    assert "experimental" in text
    assert "run on no RDNA1 card by AMD" in text
    packages = {p["name"]: p for p in toml.loads(Path("lock/pylock.toml").read_text())["packages"]}
    assert packages["torch"]["version"] == f"2.12.0+rocm{series}"
    assert "amd-torch-device-gfx1010" in packages
    assert "amd-torch-device-gfx1011" not in packages
    # Nobody states a hash: each wheel was read once, and the lock remembers.
    assert len(packages["torch"]["wheels"][0]["hashes"]["sha256"]) == 64
    assert env_of(run, "lock") == {"AMDGCN_USE_BUFFER_OPS": "0"}

    fetched = run("fetch", "lock", *options[:2])
    assert fetched.status == 0, fetched.err
    python = find_python("3.12")
    if python is None:
        pytest.skip("no CPython 3.12 on this machine")
    synced = run("sync", "lock", "--venv", "venv", "--python", python, *options[:2])
    assert synced.status == 0, synced.err
    activate = Path("venv/bin/activate").read_text()
    assert "AMDGCN_USE_BUFFER_OPS" in activate
    assert "HSA_OVERRIDE_GFX_VERSION" not in activate
    found = json.loads(run("audit", "venv", "--json").out)
    # The stand-ins hold no libraries, so nothing is said of those; and nothing asks for the override.
    serious = [one["rule"] for one in found["findings"] if one["severity"] != "info"]
    assert not {"R03", "R06", "R07", "R29"} & set(serious)
    assert Path("lock/flake.nix").exists()


def test_the_override_is_wrong_there(server: Server, run, monkeypatch):
    options = serve_amd(server, "7.14.0")
    assert run("resolve", "--stack", "therock", *options, "--output-dir", "lock").status == 0
    monkeypatch.setenv("HSA_OVERRIDE_GFX_VERSION", "10.3.0")
    python = find_python("3.12")
    if python is None:
        pytest.skip("no CPython 3.12 on this machine")
    assert run("sync", "lock", "--venv", "venv", "--python", python, *options[:2]).status == 0
    found = json.loads(run("audit", "venv", "--json").out)
    assert [one["seen"] for one in found["findings"] if one["rule"] == "R06"]


def test_7_14_1_is_never_taken(server: Server, run):
    options = serve_amd(server, "7.14.0")
    result = run("resolve", "torch==2.12.9", "--stack", "therock", *options, "--output-dir", "lock")
    assert result.status == 1, result.err
    assert "torch 2.12.0+rocm7.14.0 is the newest that fits" in result.err


@pytest.mark.parametrize("python", ["3.10", "3.14"])
def test_every_python_of_the_stack_is_a_target(server: Server, run, python: str):
    options = serve_amd(server, "10.1.0")
    digits = python.replace(".", "")
    tag = f"cp{digits}-cp{digits}-linux_x86_64"
    for spec in (Spec("torch", "2.12.0+rocm10.1.0", (), {"device-gfx1010": ()}, tag=tag),):
        server.indexes["amd"].add(spec)
    result = run(
        "resolve", "torch[device-gfx1010]", "--stack", "therock-next", "--python-version", python,
        *options, "--output-dir", "lock",
    )  # fmt: skip
    assert result.status == 0, result.err
