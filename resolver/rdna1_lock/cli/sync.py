"""``rdna1-lock sync``: a virtual environment that is exactly the lock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rdna1_lock.cli.locks import INDEX_OPTIONS, LOCK, options
from rdna1_lock.cli.render import print_json, say
from rdna1_lock.cli.terminal import open_context
from rdna1_lock.errors import Exit
from rdna1_lock.tasks.sync import SyncRequest, SyncResult, sync


@click.command("sync", short_help="Make a virtual environment exactly the lock.")
@LOCK
@click.option(
    "--venv",
    metavar="DIR",
    required=True,
    type=click.Path(path_type=Path, readable=False),
    help="The environment; made if it does not exist.",
)
@click.option(
    "--python",
    metavar="PATH",
    help="Interpreter to make it with [default: the lock's Python on PATH].",
)
@click.option(
    "--wheels",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of the wheels [default: `wheels` next to the lock].",
)
@click.option(
    "--check", is_flag=True, help="Change nothing; exit 5 if the environment is not the lock."
)
@click.option(
    "--env/--no-env",
    "set_env",
    default=True,
    help="Set the stack's variables on activation [default: yes].",
)
@click.option(
    "--remove-extraneous",
    is_flag=True,
    help="Delete files in site-packages that belong to no package.",
)
@options(INDEX_OPTIONS)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
def command(
    lock: Path,
    venv: Path,
    python: str | None,
    wheels: Path | None,
    check: bool,
    set_env: bool,
    remove_extraneous: bool,
    index_url: str | None,
    find_links: tuple[Path, ...],
    as_json: bool,
    quiet: bool,
) -> int:
    """Make or update a virtual environment so that it holds exactly LOCK.

    Fetches what is missing, installs by hash, removes what is not locked, and compares every
    installed file with the lock. Files in site-packages that belong to no package are named and
    make it fail (exit 5); --remove-extraneous deletes them. With --no-env the activation scripts
    are as Python made them.
    """
    request = SyncRequest(
        lock=lock,
        venv=venv,
        python=python,
        wheels=wheels,
        index_url=index_url,
        find_links=find_links,
        set_env=set_env,
        check=check,
        remove_extraneous=remove_extraneous,
    )
    with open_context(quiet=quiet or as_json) as context:
        done = sync(request, context)
    if as_json:
        print_json(_json(request, done))
    elif not quiet:
        _show(request, done)
    return Exit.OK


def _json(request: SyncRequest, done: SyncResult) -> dict[str, Any]:
    return {
        "command": "sync",
        "venv": str(request.venv),
        "made": done.made,
        "installed": list(done.installed),
        "removed": list(done.removed),
        "removed-files": list(done.removed_files),
        "activation": [str(path) for path in done.activation],
        "env": dict(done.env),
    }


def _show(request: SyncRequest, done: SyncResult) -> None:
    if request.check:
        say(f"{request.venv} is exactly {request.lock}")
        return
    for name in (*done.removed, *done.removed_files):
        say(f"  - {name}")
    for name in done.installed:
        say(f"  + {name}")
    say(f"{request.venv} is exactly {request.lock}: {done.packages} packages, every file as locked")
    if done.env and request.set_env:
        names = ", ".join(sorted(done.env))
        say(f"activation sets {names}; `deactivate` restores them, `sync --no-env` removes that")
