"""README, changelog and help say what is true, and the tree names nothing that it must not."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import click
import pytest

from rdna1_lock import __version__
from rdna1_lock.cli.main import COMMANDS, cli

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def tracked() -> list[Path]:
    try:
        listed = subprocess.run(
            ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines()]


def help_of(command: str) -> str:
    settings = cli.context_settings
    with click.Context(cli, info_name="rdna1-lock", terminal_width=100, **settings) as parent:
        found = cli.get_command(parent, command) if command else cli
        assert found is not None
        context = (
            click.Context(found, info_name=command, parent=parent, terminal_width=100)
            if command
            else parent
        )
        return found.get_help(context)


def test_readme_shows_the_help_as_it_is():
    assert f"```text\n{help_of('')}\n```" in README


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_of_a_command_names_every_option(name: str):
    text = (ROOT / "docs" / f"{name}.md").read_text()
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert any(
                f"`{option}" in text for option in (*parameter.opts, *parameter.secondary_opts)
            ), parameter.opts


def test_the_changelog_has_this_version():
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_every_dependency_has_its_reason():
    from rdna1_lock import toml

    project = toml.loads((ROOT / "pyproject.toml").read_text())["project"]
    reasons = (ROOT / "docs" / "dependencies.md").read_text()
    for text in project["dependencies"]:
        name = re.split(r"[<>=; ]", text)[0]
        assert f"| {name} |" in reasons


def test_links_between_documents_lead_somewhere():
    for path in [
        ROOT / "README.md",
        *(ROOT / "docs").glob("*.md"),
        ROOT / "constraints" / "README.md",
    ]:
        for target in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
            if "://" not in target:
                assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_no_registry_host_and_no_path_of_a_machine():
    hosts = "|".join(
        ["py" + r"pi\.org", "python" + r"hosted\.org", "deb\\." + "debian", "registry\\." + "npmjs"]
    )
    paths = "/" + "(work|farm|root/\\.pyenv)/"
    for path in tracked():
        if not path.is_file():
            continue
        text = path.read_text("utf-8", "replace")
        assert not re.search(hosts, text), path
        assert not re.search(r"(^|[^A-Za-z0-9_.])" + paths, text), path


def test_nix_files_are_of_one_form():
    """No formatter of Nix is to be had here, so what can be said without one is said."""
    for path in tracked():
        if path.suffix != ".nix":
            continue
        for line in path.read_text("ascii").splitlines():
            assert line == line.rstrip(), path
            assert "\t" not in line, path
            assert (len(line) - len(line.lstrip())) % 2 == 0, f"{path}: {line}"


def test_every_command_has_a_page():
    for command in COMMANDS:
        assert (ROOT / "docs" / f"{command}.md").exists()
