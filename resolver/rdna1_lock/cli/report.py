"""What ``resolve`` tells and leaves behind: files, a summary, JSON, or that nothing changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from rdna1_lock.cli.files import write_files
from rdna1_lock.cli.locked import differences
from rdna1_lock.cli.locks import flake_reference
from rdna1_lock.cli.render import note, print_json, say
from rdna1_lock.emit import EMITTERS, emit_pylock, emit_requirements
from rdna1_lock.errors import Exit, OutOfDateError
from rdna1_lock.lock.model import locked_file

if TYPE_CHECKING:
    from pathlib import Path

    from rdna1_lock.cli.locked import Existing
    from rdna1_lock.lock.model import Lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What a run cost: requests, bytes received, seconds."""

    requests: int
    received: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How the result is to be given; ``output`` is one file or ``-``, None for the folder."""

    output: str | None
    check: bool
    as_json: bool
    quiet: bool


def finish_unchanged(existing: Existing, wanted: Wanted) -> int:
    """Say that the lock is as its inputs make it."""
    lock = existing.lock
    if lock is None:
        raise AssertionError
    if wanted.as_json:
        print_json(
            {"command": "resolve", "status": "unchanged", **_lock_json(lock, [existing.path], [])}
        )
    elif not wanted.quiet:
        count = f"{len(lock.packages)} packages"
        say(f"{existing.path} is up to date ({count}); --upgrade looks for newer releases")
    return Exit.OK


def finish(
    lock: Lock, existing: Existing, wanted: Wanted, notes: tuple[str, ...], effort: Effort
) -> int:
    """Write or compare the files of a lock, and tell what changed.

    Raises:
        OutOfDateError: with ``check``, when a file would change.

    """
    texts = _texts(lock, existing.path, wanted)
    if wanted.output == "-":
        click.echo(texts["-"], nl=False)
        for text in notes:
            note(text)
        return Exit.OK
    folder = existing.path.parent if wanted.output else existing.path
    changes = differences(existing, lock)
    if wanted.check:
        stale = [name for name, text in texts.items() if not _same(folder / name, text)]
        if stale:
            raise OutOfDateError(
                "lock-out-of-date",
                f"{existing.path} would change",
                facts=tuple(changes)
                or tuple(f"{name} is not what the inputs give" for name in stale),
                hint="run the same command without --check",
            )
        changed: list[Path] = []
    else:
        changed = write_files(folder, texts)
    if wanted.as_json:
        status = "written" if changed else "unchanged"
        print_json(
            {
                "command": "resolve",
                "status": status,
                **_lock_json(lock, [folder / name for name in texts], changed),
                "notes": list(notes),
                "requests": effort.requests,
                "bytes": effort.received,
            }
        )
    elif not wanted.quiet:
        for line in changes:
            say(f"  {line}")
        for text in notes:
            note(text)
        what = "locked" if changed else "checked"
        cost = f"{effort.requests} requests, {effort.received / 1e6:.1f} MB, {effort.seconds:.1f} s"
        say(f"{what} {len(lock.packages)} packages in {existing.path} ({cost})")
        if lock.env and changed and not wanted.output:
            _next_steps(lock, folder)
    return Exit.OK


def _next_steps(lock: Lock, folder: Path) -> None:
    variables = " ".join(f"{name}={value}" for name, value in sorted(lock.env.items()))
    file = folder / "requirements.txt"
    say(f"\ninstall:  python{lock.inputs.python} -m pip install --require-hashes -r {file}")
    say(f"then set: {variables}")
    say(f"or:       nix develop {flake_reference(folder)}")


def _texts(lock: Lock, path: Path, wanted: Wanted) -> dict[str, str]:
    if wanted.output is None:
        return {name: emit(lock) for name, emit in EMITTERS.items()}
    if wanted.output == "-":
        return {"-": emit_pylock(lock)}
    return {path.name: emit_requirements(lock) if path.suffix == ".txt" else emit_pylock(lock)}


def _same(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() == text.encode()
    except OSError:
        return False


def _lock_json(lock: Lock, files: list[Path], changed: list[Path]) -> dict[str, Any]:
    packages = []
    for package in lock.packages:
        file = locked_file(package)
        entry = {
            "name": package.name,
            "version": str(package.version),
            "url": file.url,
            "path": file.path,
            "size": file.size,
            "sha256": file.hashes["sha256"],
            "dependencies": [item["name"] for item in package.dependencies or ()],
        }
        packages.append(entry)
    return {
        "files": [{"path": str(path), "changed": path in changed} for path in files],
        "stack": lock.inputs.stack if lock.env or lock.inputs.gfx else None,
        "target": {
            "python": lock.inputs.python,
            "platform": lock.inputs.platform,
            "gfx": list(lock.inputs.gfx),
        },
        "portable": lock.inputs.portable,
        "env": dict(lock.env),
        "packages": packages,
    }
