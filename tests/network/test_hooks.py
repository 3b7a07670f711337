"""The pre-commit hooks and the GitHub Action, run as their users' machines run them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from support.repository import ROOT, copy_repository

pytestmark = [pytest.mark.network, pytest.mark.slow]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "requirements.txt").write_text("torch==1.13.1+rocm5.2\nnumpy==2.2.6\n")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    subprocess.run(["git", "add", "."], cwd=folder, check=True)
    return folder


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """The repository as a commit of its own, with what is in the tree now."""
    place = copy_repository(tmp_path / "published")
    who = ["-c", "user.name=t", "-c", "user.email=t@example.invalid"]
    for command in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "now"]):
        subprocess.run(["git", *command], cwd=place, check=True)
    return place


def test_the_hook_finds_numpy_2(project: Path, published: Path, tmp_path: Path):
    env = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "pre-commit"), "LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-m", "pre_commit"]
    hook = [*command, "try-repo", str(published), "rdna1-lock-audit", "--all-files"]
    done = subprocess.run(hook, cwd=project, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "error R05" in done.stdout
    (project / "requirements.txt").write_text("torch==1.13.1+rocm5.2\nnumpy==1.26.4\n")
    again = subprocess.run(hook, cwd=project, env=env, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stdout + again.stderr


def test_the_manifest_is_valid():
    command = [sys.executable, "-m", "pre_commit", "validate-manifest", ".pre-commit-hooks.yaml"]
    subprocess.run(command, cwd=ROOT, check=True)


@pytest.mark.parametrize("output", ["", "findings.sarif"])
def test_the_actions_steps(project: Path, published: Path, output: str):
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    [step] = action["runs"]["steps"]
    given = {
        "targets": "requirements.txt",
        "format": "sarif" if output else action["inputs"]["format"]["default"],
        "output": output,
        "python": sys.executable,
    }
    env = {**os.environ, "ACTION_PATH": str(published)}
    for name, text in step["env"].items():
        key = text.strip("${} ").removeprefix("inputs.")
        env.setdefault(name, given.get(key, ""))
    done = subprocess.run(
        ["bash", "-c", step["run"]],
        cwd=project,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    told = (project / output).read_text() if output else done.stdout
    assert "R05" in told
    assert output or "::error title=R05" in told
