"""``rdna1-lock nix``: the Nix files of a lock, and its wheels in the store."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from rdna1_lock.cli.locks import LOCK, flake_reference
from rdna1_lock.cli.render import note, print_json, say
from rdna1_lock.cli.terminal import open_context
from rdna1_lock.errors import Exit
from rdna1_lock.tasks.nix import NixRequest, NixResult, write_nix


@click.command("nix", short_help="Write the Nix files of a lock; put its wheels into the store.")
@LOCK
@click.option("--add-wheels", is_flag=True, help="Add wheels that are on disk to the Nix store.")
@click.option(
    "--wheels",
    "places",
    metavar="DIR",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Where the wheels are; may be repeated [default: `wheels` next to the lock].",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
def command(
    lock: Path, add_wheels: bool, places: tuple[Path, ...], as_json: bool, quiet: bool
) -> int:
    """Write flake.nix, flake.lock, env.nix and shell.nix next to LOCK (its folder or pylock.toml).

    New locks have them already. With --add-wheels, wheels that were fetched are added to the Nix
    store, so that Nix does not fetch them again.
    """
    request = NixRequest(lock=lock, add_wheels=add_wheels, places=places)
    with open_context(quiet=quiet or as_json) as context:
        done = write_nix(request, context)
    stored = done.stored
    if as_json:
        print_json(
            {
                "command": "nix",
                "folder": str(done.folder),
                "changed": [str(path) for path in done.changed],
                "untracked": list(done.untracked),
                "added": list(stored.paths) if stored else [],
                "missing": list(stored.missing) if stored else [],
            }
        )
    elif not quiet:
        _show(done)
    return Exit.OK


def _show(done: NixResult) -> None:
    if done.stored is not None:
        say(f"{len(done.stored.paths)} of {done.packages} wheels are in the Nix store")
        for name in done.stored.missing:
            note(f"{name} is not on disk; Nix will fetch it")
    say(f"{done.folder}: Nix files {'written' if done.changed else 'are up to date'}")
    if done.untracked:
        note(f"Nix sees only files that git tracks; first: git add {shlex.join(done.untracked)}")
    say(f"shell:  nix develop {flake_reference(done.folder)}")
