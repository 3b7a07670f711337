"""A lock by somebody who means harm: every string is held to its form, whatever the digests say."""

from __future__ import annotations

import copy
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from rdna1_lock import toml
from rdna1_lock.lock.digests import digest, digests
from rdna1_lock.lock.model import TOOL
from rdna1_lock.rules import lockable_variables

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "locks" / "rocm5.2-cp310" / "pylock.toml"
Change = Callable[[dict[str, Any]], None]


def rewritten(change: Change, *, recompute: bool) -> Path:
    """Write the default lock after a change, with digests that fit it again if asked."""
    data: dict[str, Any] = copy.deepcopy(toml.loads(LOCK.read_text()))
    change(data)
    if recompute:
        data["tool"][TOOL]["digests"] = digests(data)
    path = Path("hostile/pylock.toml")
    path.parent.mkdir(exist_ok=True)
    path.write_text(tomli_w.dumps(data))
    return path


def ours(data: dict[str, Any]) -> dict[str, Any]:
    table: dict[str, Any] = data["tool"][TOOL]
    return table


def torch(data: dict[str, Any]) -> dict[str, Any]:
    [package] = [one for one in data["packages"] if one["name"] == "torch"]
    return package


def put(key: str, value: Any) -> Change:
    """Set ``a.b.c`` of our table."""

    def change(data: dict[str, Any]) -> None:
        table = ours(data)
        *path, last = key.split("/")
        for part in path:
            table = table[part]
        table[last] = value

    return change


def wheel(key: str, value: Any) -> Change:
    return lambda data: torch(data)["wheels"][0].update({key: value})


URL = "https://download.pytorch.org/whl/rocm5.2/torch-1.13.1%2Brocm5.2-cp310-cp310-linux_x86_64.whl"
HOSTILE: dict[str, Change] = {
    "a variable's name that is a command": put("env/A=1; touch X; B", "1"),
    "LD_PRELOAD": put("env/LD_PRELOAD", "/tmp/evil.so"),
    "a tool library": put("env/HSA_TOOLS_LIB", "/tmp/evil.so"),
    "PATH": put("env/PATH", "/tmp"),
    "a line break in a value": put("env/ROCM_PATH", "/opt\ntouch X"),
    "an escape sequence in a value": put("env/ROCM_PATH", "/opt\x1b]0;x\x07"),
    "a number as a value": put("env/ROCM_PATH", 3),
    "a path as a Python": put("target/python", "3/x"),
    "a command as a Python": put("target/python", "3.10; touch X"),
    "another platform": put("target/platform", "manylinux_2_28_x86_64; x"),
    "a gfx target that is none": put("target/gfx", ["gfx1010 x"]),
    "a stack that is a path": put("stack", "../../etc"),
    "rules without a digest": put("rules", "sha256:x"),
    "a Nix attribute that is code": put("nix/python", 'python310; abort "x"'),
    "a Nix library that is code": put("nix/libraries", ["zlib}${x"]),
    "a glibc that is none": put("nix/glibc-below", "2.41; x"),
    "an unknown key": put("surprise", True),
    "an unknown input": put("inputs/surprise", True),
    "an index with a space": put("index", "https://mirror.example/a b"),
    "an index with a password": put("index", "https://u:p@mirror.example/simple"),
    "a requirement with a line break": put(
        "inputs/requirements", [{"requirement": "torch\n--index-url x", "from": "x"}]
    ),
    "a source with an escape sequence": put(
        "inputs/requirements", [{"requirement": "torch", "from": "\x1b[2J"}]
    ),
    "a hash that is none": put(
        "inputs/requirements", [{"requirement": "torch", "from": "x", "hashes": ["sha256:--x"]}]
    ),
    "a URL with a second option": wheel("url", f"{URL}?x --hash=sha256:{'0' * 64}"),
    "a URL with a variable of pip": wheel("url", f"{URL}?${{HOME}}"),
    "a URL with a password": wheel("url", URL.replace("://", "://u:p@")),
    "a URL with a line break": wheel("url", f"{URL}\nevil"),
    "a URL to another file": wheel("url", URL.replace("torch-1", "other-1")),
    "a file URL": wheel("url", "file:///etc/passwd"),
    "a name with a path": wheel("name", "../../evil.whl"),
    "a name that is no wheel": wheel("name", "torch.tar.gz"),
    "a hash of another length": wheel("hashes", {"sha256": "0" * 63}),
    "a hash by another algorithm": wheel("hashes", {"md5": "0" * 32}),
    "a path outside": wheel("path", "../../../etc/passwd"),
    "a size below zero": wheel("size", -1),
    "a name in capitals": lambda data: torch(data).update({"name": "Torch"}),
    "another version than the wheel's": lambda data: torch(data).update({"version": "2.0"}),
    "a package twice": lambda data: data["packages"].append(torch(data)),
    "a hash as a table": wheel("hashes", {"sha256": {"x": 1}}),
    "packages as a number": lambda data: data.update({"packages": 3}),
}
COMMANDS = {
    "env": ["env", "hostile"],
    "fetch": ["fetch", "hostile", "--index-url", "http://127.0.0.1:9/simple"],
    "sync": ["sync", "hostile", "--venv", "env"],
    "nix": ["nix", "hostile"],
    "check": ["resolve", "--check", "--output-dir", "hostile"],
    "verify": ["verify", "hostile"],
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_string_without_its_form_is_refused(run, name, command):
    try:
        path = rewritten(HOSTILE[name], recompute=True)
    except TypeError:  # data of no lock, for which there are no digests
        path = rewritten(HOSTILE[name], recompute=False)
    before = path.read_bytes()
    result = run(*COMMANDS[command])
    assert (result.status, result.code) == (3, "bad-lock"), result.err
    assert "\x1b" not in result.err + result.out
    assert result.out == ""
    assert path.read_bytes() == before
    assert [path.name for path in Path().iterdir()] == ["hostile"]


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("env", put("env/ROCM_PATH", "/opt/other")),
        ("nix", put("nix/libraries", ["zlib"])),
        ("target", put("target/gfx", ["gfx1010"])),
        ("target", lambda data: data.update({"requires-python": "==3.9.*"})),
        ("inputs", put("inputs/prereleases", True)),
        ("inputs", put("portable", False)),
        ("packages", wheel("hashes", {"sha256": "0" * 64})),
    ],
)
def test_an_edit_is_told_with_its_part(run, part, change):
    rewritten(change, recompute=False)
    result = run("env", "hostile")
    assert (result.status, result.code) == (3, "edited-lock"), result.err
    assert f"`{part}` does not match its digest" in result.err
    checked = run("resolve", "--check", "--offline", "--output-dir", "hostile")
    if checked.status == 1:
        assert f"`{part}` was edited" in checked.err
    else:
        assert checked.status in {4, 5}, checked.err


def test_a_variable_of_a_lock_never_runs_in_a_shell(run, tmp_path):
    """The command that README shows, with every shell that Debian has."""
    rewritten(put("env/ROCM_PATH", "$(touch X)`touch X`'; touch X; '"), recompute=True)
    result = run("env", "hostile")
    assert result.status == 0
    subprocess.run(["sh", "-c", 'eval "$0"; echo "$ROCM_PATH"', result.out], check=True)
    assert [path.name for path in Path().iterdir()] == ["hostile"]


def test_a_lock_of_schema_1_is_read_and_its_edits_are_seen(run):
    data = toml.loads(LOCK.read_text())
    table = ours(data)
    del table["digests"]
    table.update({"schema": 1, "digest": digest(data["packages"])})
    path = Path("old/pylock.toml")
    path.parent.mkdir()
    path.write_text(tomli_w.dumps(data))
    result = run("env", "old")
    assert result.status == 0, result.err
    assert "export HSA_OVERRIDE_GFX_VERSION=10.3.0" in result.out
    assert "schema 1" in result.err
    assert "rdna1-lock resolve" in result.err
    data["packages"][0]["wheels"][0]["hashes"]["sha256"] = "0" * 64
    path.write_text(tomli_w.dumps(data))
    assert run("env", "old").code == "edited-lock"


def test_env_nix_knows_the_variables_that_stacks_set():
    text = (ROOT / "resolver/rdna1_lock/emit/nixfiles/env.nix").read_text()
    [line] = [line for line in text.splitlines() if line.strip().startswith("known = ")]
    names = line.partition("[")[2].rpartition("]")[0].replace('"', "").split()
    assert names == sorted(lockable_variables())
