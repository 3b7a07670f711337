"""``rdna1-lock cache``: what is kept, and clearing it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from rdna1_lock.cli.render import print_json, say
from rdna1_lock.cli.terminal import open_context
from rdna1_lock.errors import Exit
from rdna1_lock.tasks.cache import cache

WORDS = {
    "page": "index pages",
    "metadata": "metadata files of wheels",
    "sha256": "hashes of wheels that no index states",
    "pip": "answers of pip",
    "environments": "environments of `certify`",
}


@click.command("cache", short_help="Show or clear the cache.")
@click.option("--clear", is_flag=True, help="Delete all entries.")
@click.option(
    "--cache-dir", metavar="DIR", type=click.Path(path_type=Path), help="Folder of the cache."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(clear: bool, cache_dir: Path | None, as_json: bool) -> int:
    """Show what the cache holds, or delete it. Everything in it can be fetched again."""
    with open_context(quiet=True, cache_dir=cache_dir) as context:
        found = cache(context, clear=clear)
    if as_json:
        kinds = {kind: asdict(held) for kind, held in found.kinds.items()}
        print_json(
            {
                "command": "cache",
                "folder": str(found.folder),
                "cleared": found.cleared,
                "kinds": kinds,
            }
        )
        return Exit.OK
    say(f"{found.folder}{' (cleared)' if found.cleared else ''}")
    for kind, held in found.kinds.items():
        say(f"  {held.entries:6} {WORDS[kind]} ({held.bytes / 1e6:.1f} MB)")
    return Exit.OK
