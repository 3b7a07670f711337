"""Random universes, resolved by uv as well: the same answer, or the same refusal.

uv ignores upper bounds of Requires-Python, which this tool and pip do not, and it refuses a yanked
local version that is pinned by its public version; the universes hold neither.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rdna1_lock import toml
from support.server import Server
from support.universe import fill

NAMES = "abcde"
VERSIONS = ["0.5", "1.0", "1.0.post1", "1.1a1", "2.0rc1", "2.0", "2.0+loc", "3.0.dev1"]
SPECIFIERS = [
    "",
    "==1.0",
    "<2",
    "<=1.0",
    ">=1",
    ">1.0",
    "!=1.0",
    ">=1,<2",
    ">=2.0a1",
    "~=1.0",
    "==1.*",
    "<2.0rc2",
]
MARKERS = ["", "", "; python_version < '3.11'", "; sys_platform == 'win32'"]
TAGS = [
    "cp310-cp310-manylinux_2_17_x86_64",
    "cp310-cp310-win_amd64",
    "cp312-cp312-manylinux_2_17_x86_64",
    "cp38-abi3-manylinux1_x86_64",
]
BIN = Path(sys.executable).parent


def universe(chance: random.Random) -> dict[str, Any]:
    def requirement() -> str:
        return (
            chance.choice(NAMES)
            + chance.choice(["", "", "[x]"])
            + chance.choice(SPECIFIERS)
            + chance.choice(MARKERS)
        )

    made: dict[str, Any] = {}
    for name in NAMES[: chance.randint(2, 5)]:
        made[name] = {}
        for version in chance.sample(VERSIONS, chance.randint(1, 4)):
            facts: dict[str, Any] = {
                "requires": [requirement() for _ in range(chance.choice([0, 0, 1, 2]))]
            }
            if chance.random() < 0.3:
                facts["extras"] = {"x": [requirement()]}
            if chance.random() < 0.12:
                facts["yanked"] = True
            if chance.random() < 0.15:
                facts["requires-python"] = chance.choice([">=3.12", ">=3.8"])
            if chance.random() < 0.15:
                facts["tags"] = [chance.choice(TAGS)]
            made[name][version] = facts
    return made


def by_uv(url: str) -> dict[str, str] | None:
    result = subprocess.run(
        [
            BIN / "uv",
            "pip",
            "compile",
            "-q",
            "--no-header",
            "--no-annotate",
            "--python",
            sys.executable,
            "--python-version",
            "3.10",
            "--python-platform",
            "x86_64-manylinux_2_28",
            "--only-binary",
            ":all:",
            "--index-url",
            url,
            "--no-cache",
            "in.txt",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={key: value for key, value in os.environ.items() if not key.startswith(("UV_", "PIP_"))}
        | {"UV_PYTHON_DOWNLOADS": "never"},
    )
    if result.returncode:
        assert "No solution found" in result.stderr, result.stderr
        return None
    return dict(line.split("==") for line in result.stdout.split())


@pytest.mark.parametrize("seed", range(60))
def test_the_same_answer_as_uv(seed: int, server: Server, run):
    chance = random.Random(seed)
    made = universe(chance)
    asked = [
        chance.choice(list(made)) + chance.choice(["", "[x]"]) + chance.choice(SPECIFIERS)
        for _ in range(chance.randint(1, 2))
    ]
    fill(server.index("u", metadata_files=True), made)
    Path("in.txt").write_text("\n".join(asked) + "\n")
    result = run(
        "resolve",
        "--index-url",
        server.url("u"),
        "--python-version",
        "3.10",
        "-o",
        "pylock.toml",
        *asked,
    )
    assert result.status in {0, 1}, result.err
    ours = None
    if result.status == 0:
        ours = {
            p["name"]: p["version"] for p in toml.loads(Path("pylock.toml").read_text())["packages"]
        }
    assert ours == by_uv(server.url("u"))
