"""``rdna1-lock cache``: what is kept, and clearing it."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from rdna1_lock.cli.render import print_json, say
from rdna1_lock.errors import Exit, InputError
from rdna1_lock.index.cache import FORMAT, default_cache_dir

KINDS = {
    "page": "index pages",
    "metadata": "metadata of wheels",
    "sha256": "hashes of wheels without one",
}


@click.command("cache", short_help="Show or clear the cache.")
@click.option("--clear", is_flag=True, help="Delete all entries.")
@click.option(
    "--cache-dir", metavar="DIR", type=click.Path(path_type=Path), help="Folder of the cache."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(clear: bool, cache_dir: Path | None, as_json: bool) -> int:
    """Show what the cache holds, or delete it. Nothing in it is needed; all can be had again."""
    folder = (cache_dir or default_cache_dir()) / FORMAT
    environments = folder.parent / "environments"
    counted = {}
    for kind in KINDS:
        files = [path for path in (folder / kind).rglob("*") if path.is_file()]
        counted[kind] = {"entries": len(files), "bytes": sum(path.stat().st_size for path in files)}
    files = [path for path in environments.rglob("*") if path.is_file() and not path.is_symlink()]
    count = len(list(environments.iterdir())) if environments.exists() else 0
    counted["environments"] = {"entries": count, "bytes": sum(p.stat().st_size for p in files)}
    for place in (folder, environments) if clear else ():
        if not place.exists():
            continue
        try:
            shutil.rmtree(place)
        except OSError as error:
            raise InputError(
                "cannot-write", f"{place} cannot be cleared: {error.strerror}"
            ) from error
    if as_json:
        print_json({"command": "cache", "folder": str(folder), "cleared": clear, "kinds": counted})
        return Exit.OK
    say(f"{folder}{' (cleared)' if clear else ''}")
    for kind, what in {**KINDS, "environments": "environments of `certify`"}.items():
        say(f"  {counted[kind]['entries']:6} {what} ({counted[kind]['bytes'] / 1e6:.1f} MB)")
    return Exit.OK
