"""``rdna1-lock nix``: the Nix files of a lock, and its wheels in the store."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rdna1_lock.cli.files import write_files
from rdna1_lock.cli.locks import LOCK, flake_reference
from rdna1_lock.cli.render import note, print_json, say
from rdna1_lock.emit import EMITTERS, NIX_FILES
from rdna1_lock.errors import Exit, InputError
from rdna1_lock.lock.place import open_lock

if TYPE_CHECKING:
    from rdna1_lock.install.nix_store import Stored


@click.command("nix", short_help="Write the Nix files of a lock; put its wheels into the store.")
@LOCK
@click.option("--add-wheels", is_flag=True, help="Add wheels that are on disk to the Nix store.")
@click.option(
    "--wheels",
    "places",
    metavar="DIR",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Where the wheels are; may be repeated [default: `wheels` beside the lock].",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
def command(
    lock: Path, add_wheels: bool, places: tuple[Path, ...], as_json: bool, quiet: bool
) -> int:
    """Write flake.nix, flake.lock, env.nix and shell.nix beside LOCK (its folder or pylock.toml).

    New locks have them already. With --add-wheels, wheels that were fetched are added to the Nix
    store, so that Nix does not fetch them again.
    """
    opened, wheels = open_lock(lock)
    folder = wheels.parent
    if (file := lock if lock.is_file() else folder / "pylock.toml").name != "pylock.toml":
        raise InputError(
            "not-pylock",
            f"the Nix files read `pylock.toml` beside them, and this is {file.name}",
            hint=f"rename it, or copy it into a folder of its own as pylock.toml: {file}",
        )
    changed = write_files(folder, {name: EMITTERS[name](opened) for name in NIX_FILES})
    stored: Stored | None = None
    if add_wheels:
        from rdna1_lock.install.nix_store import add_wheels as add

        silent = as_json or quiet
        stored = add(
            opened,
            places or (wheels,),
            tell=(lambda _: None) if silent else (lambda name: say(f"  {name}")),
        )
    untracked = _untracked(folder)
    if as_json:
        print_json(
            {
                "command": "nix",
                "folder": str(folder),
                "changed": [str(path) for path in changed],
                "untracked": list(untracked),
                "added": list(stored.paths) if stored else [],
                "missing": list(stored.missing) if stored else [],
            }
        )
        return Exit.OK
    if quiet:
        return Exit.OK
    if stored is not None:
        say(f"{len(stored.paths)} of {len(opened.packages)} wheels are in the Nix store")
        for name in stored.missing:
            note(f"{name} is not on disk; Nix will fetch it")
    say(f"{folder}: Nix files {'written' if changed else 'are as they should be'}")
    if untracked:
        note(f"Nix sees only files that git tracks; first: git add {' '.join(untracked)}")
    say(f"shell:  nix develop {flake_reference(folder)}")
    return Exit.OK


def _untracked(folder: Path) -> tuple[str, ...]:
    """Return the files of a lock that git does not track; none outside a work tree."""
    program = shutil.which("git")
    if program is None:
        return ()
    names = [name for name in EMITTERS if (folder / name).exists()]
    found = subprocess.run(
        [program, "-C", str(folder), "ls-files", "--others", "--", *names],
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode:
        return ()
    return tuple(str(folder / name) for name in found.stdout.split())
