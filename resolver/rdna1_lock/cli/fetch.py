"""``rdna1-lock fetch``: the locked wheels, verified, into a folder."""

from __future__ import annotations

from pathlib import Path

import click

from rdna1_lock.cli.locks import INDEX_OPTIONS, LOCK, options
from rdna1_lock.cli.render import print_json, say
from rdna1_lock.cli.terminal import open_context
from rdna1_lock.errors import Exit
from rdna1_lock.tasks.fetch import FetchRequest, fetch


@click.command("fetch", short_help="Download the locked wheels, resumed and verified.")
@LOCK
@click.option(
    "--dest",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder for the wheels [default: `wheels` next to the lock].",
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

    Resumes an interrupted download. Files that already match their hash are not fetched again; a
    file that does not match is never kept.
    """
    request = FetchRequest(lock=lock, dest=dest, index_url=index_url, find_links=find_links)
    with open_context(quiet=quiet or as_json) as context:
        done = fetch(request, context)
    if as_json:
        print_json(
            {
                "command": "fetch",
                "folder": str(done.folder),
                "fetched": list(done.fetched),
                "kept": list(done.kept),
            }
        )
    elif not quiet:
        say(
            f"{done.folder}: fetched {len(done.fetched)} wheels, kept {len(done.kept)}; all hashes match"
        )
    return Exit.OK
