"""``requirements.txt`` for ``pip install --require-hashes`` and ``uv pip sync``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from rdna1_lock.lock.forms import WHEELS_FOLDER
from rdna1_lock.lock.model import has_legacy_metadata, is_own, locked_file

if TYPE_CHECKING:
    from packaging.pylock import Package

    from rdna1_lock.lock.model import Lock

# By this line a requirements.txt of ours is known; it is the same in every release.
HEADER = "# Made by rdna1-lock from pylock.toml"
LEGACY = "# pip 24.1 and newer refuse this wheel's metadata; uv and rdna1-lock sync install it"


def emit_requirements(lock: Lock) -> str:
    """Return the text; a ROCm wheel stands there by URL, so that no index can offer another."""
    inputs = lock.inputs
    lines = [
        f"{HEADER}; changes here are lost.",
        (
            f"# For CPython {inputs.target.python} on Linux x86-64 with glibc"
            f" {inputs.target.glibc} or newer."
        ),
        "#   python -m pip install --require-hashes -r requirements.txt",
        "#   uv pip sync --require-hashes requirements.txt",
    ]
    if lock.env:
        lines.append("# Set before Python starts:")
        lines += [f"#   export {name}={value}" for name, value in sorted(lock.env.items())]
    if any(map(is_own, lock.packages)):
        lines += ["", f"--find-links {WHEELS_FOLDER}"]
    users = _users(lock)
    for package in lock.packages:
        lines += ["", *_entry(package, users.get(str(package.name), []))]
    return "\n".join(lines) + "\n"


def _entry(package: Package, users: list[str]) -> list[str]:
    wheel = locked_file(package)
    by_url = package.archive is not None or (wheel.url is not None and package.index is None)
    pin = f"{package.name} @ {wheel.url}" if by_url else f"{package.name}=={package.version}"
    lines = [LEGACY] if has_legacy_metadata(package) else []
    lines += [f"{pin} \\", f"    --hash=sha256:{wheel.hashes['sha256']}"]
    if len(users) == 1:
        lines.append(f"    # via {users[0]}")
    elif users:
        lines += ["    # via", *(f"    #   {user}" for user in users)]
    return lines


def _users(lock: Lock) -> dict[str, list[str]]:
    """Return who needs each package: where the user asked for it, then packages by name."""
    found: dict[str, set[tuple[int, str]]] = {}
    for item in lock.inputs.requirements:
        name = canonicalize_name(Requirement(item.text).name)
        found.setdefault(name, set()).add((0, item.source))
    for package in lock.packages:
        for dependency in package.dependencies or ():
            found.setdefault(str(dependency["name"]), set()).add((1, str(package.name)))
    return {name: [text for _, text in sorted(users)] for name, users in found.items()}
