"""Wheels that are on disk already, put where the Nix files of a lock look for them."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rdna1_lock.errors import InputError
from rdna1_lock.hashes import is_right
from rdna1_lock.install.wheels import locked_filename
from rdna1_lock.lock.model import locked_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rdna1_lock.lock.model import Lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Store paths of the wheels that were added, and the file names that were not on disk."""

    paths: tuple[str, ...]
    missing: tuple[str, ...]


def add_wheels(lock: Lock, folders: Sequence[Path], tell: Callable[[str], None]) -> Stored:
    """Add the locked wheels found in ``folders`` to the Nix store; ``tell`` gets each file name.

    A wheel gets the path of its fixed-output derivation, so that Nix does not fetch it. Only files
    with the locked sha256 are added.

    Raises:
        InputError: when there is no Nix, no wheel, or nix-store refuses.

    """
    program = shutil.which("nix-store")
    if program is None:
        raise InputError(
            "no-nix",
            "there is no `nix-store` on PATH",
            hint="install Nix, or leave out --add-wheels: only the Nix files are written then",
        )
    found: dict[str, Path] = {}
    missing = []
    for package in lock.packages:
        name, digest = locked_filename(package), str(locked_file(package).hashes["sha256"])
        places = [folder / name for folder in folders if is_right(folder / name, digest)]
        if places:
            found[name] = places[0]
        else:
            missing.append(name)
    if not found:
        raise InputError(
            "no-wheels",
            f"none of the locked wheels is in {', '.join(map(str, folders))}",
            hint="`rdna1-lock fetch LOCK` brings them; --wheels names another folder",
        )
    paths = []
    with tempfile.TemporaryDirectory() as temporary:
        for name, file in found.items():
            tell(name)
            # The store takes the base name, and knows no `!` of an epoch.
            source = file.resolve()
            if "!" in name:
                source = Path(temporary) / name.replace("!", "_")
                shutil.copyfile(file, source)
            paths.append(_add(program, source))
    return Stored(paths=tuple(paths), missing=tuple(missing))


def _add(program: str, file: Path) -> str:
    done = subprocess.run(
        [program, "--add-fixed", "sha256", str(file)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise InputError(
            "nix-refused",
            f"nix-store did not take {file.name}",
            facts=tuple(done.stderr.strip().splitlines()[-5:]),
            hint="free space in the store's file system, or see whether the Nix daemon runs",
        )
    return done.stdout.strip()
