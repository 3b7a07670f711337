"""``rdna1-lock wheel``: wheels of source distributions, built once."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from rdna1_lock.cli.render import print_json, say
from rdna1_lock.cli.terminal import open_context
from rdna1_lock.errors import Exit, UsageError
from rdna1_lock.rules import DEFAULT_STACK
from rdna1_lock.tasks.wheel import WheelRequest, build_wheels


@click.command("wheel", short_help="Build wheels of source distributions, for --find-links.")
@click.argument("requirements", metavar="REQ...", nargs=-1, required=True)
@click.option(
    "--dest",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=Path("wheels"),
    show_default=True,
    help="Folder for the wheels.",
)
@click.option(
    "--stack", default=DEFAULT_STACK, show_default=True, help="Whose Python to build for."
)
@click.option(
    "--python-version", metavar="X.Y", help="CPython to build for [default: the stack's]."
)
@click.option("--python", metavar="PATH", help="Interpreter to build with [default: X.Y on PATH].")
@click.option(
    "--index-url",
    metavar="URL",
    help="Index to build from [default: the one that pip is configured for].",
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
def command(
    requirements: tuple[str, ...],
    dest: Path,
    stack: str,
    python_version: str | None,
    python: str | None,
    index_url: str | None,
    yes: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Build a wheel of each REQ, e.g. openai-whisper==20250625, into a folder for --find-links.

    Building runs the code of the project and of its build dependencies on this machine, as you.
    `resolve` never does; this command asks first.
    """
    request = WheelRequest(requirements=requirements, dest=dest, python=python, stack=stack)
    request = replace(request, python_version=python_version, index_url=index_url)
    if not yes and not _asked(requirements):
        say("nothing was built")
        return Exit.NO
    with open_context(quiet=quiet or as_json) as context:
        built = build_wheels(request, context)
    if as_json:
        wheels = [{"path": str(b.path), "sha256": b.sha256, "size": b.size} for b in built]
        print_json({"command": "wheel", "wheels": wheels})
    elif not quiet:
        for one in built:
            say(f"  {one.path} ({one.size / 1e6:.1f} MB)\n    sha256 {one.sha256}")
        say(f"\nnext: rdna1-lock resolve ... --find-links {dest}")
    return Exit.OK


def _asked(requirements: tuple[str, ...]) -> bool:
    names = ", ".join(requirements)
    if not sys.stdin.isatty():
        raise UsageError(
            "not-asked",
            f"building runs the code of {names} and of what they need to build; nobody can be asked",
            hint="--yes says that you want that",
        )
    say(f"This runs the code of {names}, and of what they need to build, on this machine, as you.")
    return click.confirm("Go on?", err=True)
