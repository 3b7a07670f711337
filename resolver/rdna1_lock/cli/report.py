"""What ``resolve`` prints: a summary, JSON, or that nothing changed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rdna1_lock.cli.locks import flake_reference
from rdna1_lock.cli.render import data, note, print_json, say
from rdna1_lock.errors import Exit
from rdna1_lock.lock.model import locked_file
from rdna1_lock.tasks.resolve import describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rdna1_lock.lock.model import Lock
    from rdna1_lock.resolution.model import HeldBack, Unmeasured
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
    for text in (*resolved.notes, *about_torch(resolved)):
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
                "notes": list(resolved.notes),
                "held-back": [_plain(item) for item in resolved.held_back],
                "unmeasured": [_plain(item) for item in resolved.unmeasured],
                "requests": effort.requests,
                "bytes": effort.received,
            }
        )
        return Exit.OK
    if show.quiet:
        return Exit.OK
    for change in resolved.changes:
        say(f"  {describe(change)}")
    for text in (*resolved.notes, *about_torch(resolved)):
        note(text)
    what = "locked" if changed else "checked"
    cost = f"{effort.requests} requests, {effort.received / 1e6:.1f} MB, {effort.seconds:.1f} s"
    say(f"{what} {len(lock.packages)} packages in {resolved.existing.path} ({cost})")
    if lock.env and changed and not show.output and resolved.existing.path is not None:
        _next_steps(lock, resolved.existing.path)
    return Exit.OK


def about_torch(resolved: Resolved) -> Iterator[str]:
    """Yield a line for each package that is held back, and one each for what nobody ran."""
    for item in resolved.held_back:
        moved = f"; the lock had {item.moved_from}" if item.moved_from else ""
        yield (
            f"{item.package} {item.version}, not {item.newest}{moved}: {item.why}"
            f" ({', '.join(item.by)})"
        )
    never = [item for item in resolved.unmeasured if item.newest is None]
    if never:
        names = ", ".join(f"{item.package} {item.version}" for item in never)
        yield f"not tried with this torch: {names}"
    newer = [item for item in resolved.unmeasured if item.newest is not None]
    if newer:
        names = ", ".join(f"{item.package} {item.version} ({item.newest})" for item in newer)
        yield f"newer than the newest release that was tried with this torch: {names}"


def _plain(item: HeldBack | Unmeasured) -> dict[str, Any]:
    return {key.replace("_", "-"): value for key, value in asdict(item).items()}


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
