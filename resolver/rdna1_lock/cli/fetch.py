"""``rdna1-lock fetch``: the locked wheels, verified, into a folder."""

from __future__ import annotations

from pathlib import Path

import click

from rdna1_lock.cli.locks import INDEX_OPTIONS, LOCK, fetch_into, options
from rdna1_lock.cli.render import print_json, say
from rdna1_lock.errors import Exit
from rdna1_lock.lock.place import open_lock


@click.command("fetch", short_help="Download the locked wheels, resumed and verified.")
@LOCK
@click.option(
    "--dest",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder for the wheels [default: `wheels` beside the lock].",
)
@options(INDEX_OPTIONS)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
def command(
    lock: Path,
    dest: Path | None,
    index_url: str | None,
    find_links: tuple[Path, ...],
    as_json: bool,
    quiet: bool,
) -> int:
    """Download the wheels of LOCK (its folder or its pylock.toml).

    What has come is kept: a run that was killed goes on where it was. A file that is there and
    right is not fetched again; one with another hash than the locked is never left there.
    """
    opened, folder = open_lock(lock)
    folder = dest or folder
    done = fetch_into(opened, folder, index_url=index_url, find_links=find_links, quiet=quiet)
    if as_json:
        print_json(
            {
                "command": "fetch",
                "folder": str(folder),
                "fetched": list(done.fetched),
                "kept": list(done.kept),
            }
        )
    elif not quiet:
        say(
            f"{folder}: {len(done.fetched)} wheels fetched, {len(done.kept)} were there; all {len(opened.packages)} are right"
        )
    return Exit.OK
