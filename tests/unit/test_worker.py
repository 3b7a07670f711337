"""The worker runs in the environment under test, which has torch and nothing of ours."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from rdna1_lock.guard.runner import WORKER

FILES = sorted(WORKER.glob("*.py"))
OWN = {path.stem for path in FILES}
# What the environment of every lock holds, and which files may need it.
LOCKED = {
    "__main__": {"torch"},
    "sweep_conv": {"torch"},
    "sweep_device": {"torch"},
    "sweep_expected": {"numpy"},
    "sweep_extras": {"numpy", "torch", "torchvision"},
    "sweep_inputs": {"torch"},
}


def imported(path: Path, *, top_level: bool = False) -> set[str]:
    """Return the first part of everything that a file imports, anywhere in it."""
    tree = ast.parse(path.read_text("utf-8"))
    found = set()
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a script has no package to import from"
            found.add(str(node.module).split(".")[0])
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_worker_imports_what_its_environment_has(path: Path):
    foreign = imported(path) - set(sys.stdlib_module_names) - OWN
    assert foreign <= LOCKED.get(path.stem, set())


def test_a_worker_can_be_watched_before_it_imports_torch():
    """The import may hang, so what reports a hang comes first."""
    for name in ("__main__", "sweep_channel"):
        early = imported(WORKER / f"{name}.py", top_level=True)
        assert early <= set(sys.stdlib_module_names) | {"sweep_channel"}


def test_nothing_else_imports_torch():
    package = WORKER.parents[1]
    for path in package.rglob("*.py"):
        if path.parent != WORKER:
            assert not imported(path) & {"torch", "torchvision", "numpy"}, path
