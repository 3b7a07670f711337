"""What ``resolve`` prints: a summary, JSON, or that nothing changed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rdna1_lock.cli.held_back import held_back_json, say_held_back, unmeasured_words
from rdna1_lock.cli.locks import flake_reference
from rdna1_lock.cli.render import data, note, print_json, say, size_words
from rdna1_lock.errors import Exit
from rdna1_lock.lock.model import locked_file
from rdna1_lock.tasks.resolve import describe
from rdna1_lock.tasks.size import size_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rdna1_lock.lock.model import Lock
    from rdna1_lock.tasks.resolve import Resolved


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """How to show a result; ``output`` is set where one file was asked for."""

    as_json: bool
    quiet: bool
    output: str | None

    @property
    def silent(self) -> bool:
        """Whether nothing but errors goes to standard error while the task runs."""
        return self.quiet or self.as_json


def show_text(resolved: Resolved) -> int:
    """Print the lock itself."""
    data(resolved.pylock)
    for text in (*resolved.notes, *unmeasured_words(resolved)):
        note(text)
    return Exit.OK


def show_unchanged(resolved: Resolved, show: Shown) -> int:
    """Say that the lock is as its inputs make it."""
    lock, path = resolved.lock, resolved.existing.path
    if show.as_json:
        files = [path] if path is not None else []
        print_json({"command": "resolve", "status": "unchanged", **_lock_json(lock, files, ())})
    elif not show.quiet:
        count = f"{len(lock.packages)} packages"
        say(f"{path} is up to date ({count}); --upgrade looks for newer releases")
    return Exit.OK


def show_resolved(resolved: Resolved, changed: Sequence[Path], show: Shown) -> int:
    """Say what was locked and what changed."""
    lock, effort = resolved.lock, resolved.effort
    if show.as_json:
        print_json(
            {
                "command": "resolve",
                "status": "written" if changed else "unchanged",
                **_lock_json(lock, list(resolved.texts), changed),
                "direct": sorted(resolved.direct),
                "size": asdict(size_of(lock)),
                **held_back_json(resolved),
                "notes": list(resolved.notes),
                "requests": effort.requests,
                "bytes": effort.received,
            }
        )
        return Exit.OK
    if show.quiet:
        return Exit.OK
    _say_changes(resolved)
    say_held_back(resolved)
    for text in (*resolved.notes, *unmeasured_words(resolved)):
        note(text)
    say(f"size: {size_words(size_of(lock))}")
    what = "locked" if changed else "checked"
    cost = f"{effort.requests} requests, {effort.received / 1e6:.1f} MB, {effort.seconds:.1f} s"
    say(f"{what} {len(lock.packages)} packages in {resolved.existing.path} ({cost})")
    if lock.env and changed and not show.output and resolved.existing.path is not None:
        _next_steps(lock, resolved.existing.path)
    return Exit.OK


def _say_changes(resolved: Resolved) -> None:
    """Print what the user asked for first, then the rest that changed, then how much did not."""
    asked = [one for one in resolved.changes if one.name in resolved.direct]
    rest = [one for one in resolved.changes if one.name not in resolved.direct]
    for heading, group in (("asked for", asked), ("with them", rest)):
        if group and asked and rest:
            say(f"{heading}:")
        for change in group:
            say(f"  {describe(change)}")
    as_before = len(resolved.lock.packages) - sum(one.new is not None for one in resolved.changes)
    if as_before and resolved.changes:
        say(f"as before: {as_before} packages")


def _next_steps(lock: Lock, folder: Path) -> None:
    variables = " ".join(f"{name}={value}" for name, value in sorted(lock.env.items()))
    file = folder / "requirements.txt"
    say(f"\ninstall:  python{lock.inputs.target.python} -m pip install --require-hashes -r {file}")
    say(f"then set: {variables}")
    say(f"or:       nix develop {flake_reference(folder)}")


def _lock_json(lock: Lock, files: list[Path], changed: Sequence[Path]) -> dict[str, Any]:
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
            "python": str(lock.inputs.target.python),
            "platform": lock.inputs.target.platform,
            "gfx": list(lock.inputs.gfx),
        },
        "portable": lock.inputs.portable,
        "env": dict(lock.env),
        "packages": packages,
    }
