"""``rdna1-lock sync``: a virtual environment that is exactly the lock."""

from __future__ import annotations

from pathlib import Path

import click

from rdna1_lock.cli.locks import INDEX_OPTIONS, LOCK, fetch_into, options
from rdna1_lock.cli.render import print_json, say
from rdna1_lock.errors import Exit
from rdna1_lock.lock.place import open_lock


@click.command("sync", short_help="Make a virtual environment exactly the lock.")
@LOCK
@click.option(
    "--venv",
    metavar="DIR",
    required=True,
    type=click.Path(path_type=Path),
    help="The environment; made if it is not there.",
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
    help="Folder of the wheels [default: `wheels` beside the lock].",
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
    index_url: str | None,
    find_links: tuple[Path, ...],
    as_json: bool,
    quiet: bool,
) -> int:
    """Make or update a virtual environment so that it holds exactly LOCK.

    Fetches what is missing, installs by hash, removes what is not locked, and compares every
    installed file with the lock. With --no-env the activation scripts are as Python made them.
    """
    from rdna1_lock.install.interpreter import open_environment
    from rdna1_lock.install.sync import not_the_lock, sync
    from rdna1_lock.install.verify import compare

    opened, folder = open_lock(lock)
    folder = wheels or folder
    series = ".".join(opened.inputs.python.split(".")[:2])
    # The interpreter first: a gigabyte is not fetched for nothing.
    environment, made = open_environment(venv, series, python, make=not check)
    fetch_into(opened, folder, index_url=index_url, find_links=find_links, quiet=quiet)
    if check:
        left = compare(opened, folder, environment)
        if left:
            raise not_the_lock(left, str(venv))
        if not quiet:
            say(f"{venv} is exactly {lock}")
        return Exit.OK
    done = sync(opened, folder, environment, set_env=set_env)
    if as_json:
        print_json(
            {
                "command": "sync",
                "venv": str(venv),
                "made": made,
                "installed": list(done.installed),
                "removed": list(done.removed),
                "activation": [str(path) for path in done.activation],
                "env": dict(opened.env),
            }
        )
    elif not quiet:
        for name in done.removed:
            say(f"  - {name}")
        for name in done.installed:
            say(f"  + {name}")
        say(f"{venv} is exactly {lock}: {len(opened.packages)} packages, every file as locked")
        if opened.env and set_env:
            names = ", ".join(sorted(opened.env))
            say(
                f"activation sets {names}; `deactivate` restores them, `sync --no-env` takes that out"
            )
    return Exit.OK
