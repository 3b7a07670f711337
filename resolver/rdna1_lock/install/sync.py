"""Make an environment hold exactly a lock, with PyPA's ``installer`` as the one that unpacks.

No pip and no code of the environment runs: nothing in the working folder can change what is
installed, and METADATA from before PEP 440 is not read.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from rdna1_lock.errors import InputError, IntegrityError, one_line
from rdna1_lock.install.activation import write_activation
from rdna1_lock.install.interpreter import probe
from rdna1_lock.install.remove import remove_package, remove_path
from rdna1_lock.install.survey import LARGEST_CONFIG, SYSTEM_SITE, survey
from rdna1_lock.install.unpack import unpack
from rdna1_lock.install.wheelfile import open_wheel
from rdna1_lock.install.wheels import locked_filename
from rdna1_lock.lock.files import hold_folder, replace_file
from rdna1_lock.lock.model import locked_file
from rdna1_lock.regular import read_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from packaging.pylock import Package

    from rdna1_lock.install.interpreter import Interpreter
    from rdna1_lock.install.plan import Layout
    from rdna1_lock.install.survey import Difference, Survey
    from rdna1_lock.lock.model import Lock

INSTALLER = b"rdna1-lock\n"
SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """What was done to an environment; ``files`` of no package were removed from it."""

    installed: tuple[str, ...]
    removed: tuple[str, ...]
    files: tuple[str, ...]
    activation: tuple[Path, ...]


def sync(
    lock: Lock,
    wheels: Path,
    environment: Interpreter,
    *,
    set_env: bool,
    remove_extraneous: bool = False,
    waiting: Callable[[int], None] | None = None,
) -> Synced:
    """Install what is missing, wrong or changed; remove what is not locked; check every file.

    A second run on the same environment waits.

    Raises:
        InputError: a wheel is broken, or the environment cannot be written.
        IntegrityError: there are files that belong to no package, which go only with
            ``remove_extraneous``; or the environment is not the lock afterwards.

    """
    prefix = Path(environment.prefix)
    try:
        with hold_folder(prefix, waiting=waiting):
            before = survey(lock, wheels, environment)
            if before.extraneous and not remove_extraneous:
                raise _extraneous(before, environment)
            done = _mend(lock, wheels, before)
            if before.differences:
                _confirm(lock, wheels, environment)
            scripts = Path(environment.paths["scripts"])
            changed = write_activation(scripts, lock.env if set_env else {})
    except OSError as error:
        raise cannot_write(prefix, error) from error
    return Synced(
        installed=tuple(before.names("missing", "changed", "wrong-version")),
        removed=tuple(before.names("extra")),
        files=done,
        activation=tuple(changed),
    )


def not_the_lock(differences: Sequence[Difference], where: str) -> IntegrityError:
    """Return the error for an environment that is not its lock."""
    stray = any(item.kind == "extraneous" for item in differences)
    return IntegrityError(
        "environment-differs",
        f"{where} is not what the lock says",
        facts=_facts(differences),
        hint="run `rdna1-lock sync` on it, or delete it and run again"
        + ("; `--remove-extraneous` deletes files that belong to no package" if stray else ""),
    )


def cannot_write(folder: Path, error: OSError) -> InputError:
    """Return the error for an environment that the operating system does not let us change."""
    named = [str(name) for name in (error.filename, error.filename2) if name is not None]
    return InputError(
        "cannot-write",
        f"{' and '.join(named) or folder}: {error.strerror or one_line(error)}",
        hint="check permissions and free space; `rdna1-lock sync` goes on from here",
    )


def _extraneous(found: Survey, environment: Interpreter) -> IntegrityError:
    items = [item for item in found.differences if item.kind == "extraneous"]
    return IntegrityError(
        "extraneous-files",
        f"{environment.prefix} holds files that belong to no package",
        facts=_facts(items),
        hint="move them away, or let `--remove-extraneous` delete them; nothing was changed",
    )


def _facts(differences: Sequence[Difference]) -> tuple[str, ...]:
    facts = [f"{item.kind}: {item.package} {item.what}" for item in differences[:SHOWN]]
    if len(differences) > SHOWN:
        facts.append(f"and {len(differences) - SHOWN} more")
    return tuple(facts)


def _mend(lock: Lock, wheels: Path, found: Survey) -> tuple[str, ...]:
    """Bring an environment to the lock; returns the files of no package that were removed."""
    wrong = set(found.names("missing", "changed", "wrong-version"))
    packages = [package for package in lock.packages if str(package.name) in wrong]
    _check_space(packages, wheels, found)
    _forbid_system_packages(found.layout)
    for path in (*found.extraneous, *found.leftovers):
        remove_path(path)
    keep = {path for name, paths in found.planned.items() if name not in wrong for path in paths}
    for name in (*found.names("extra"), *sorted(wrong)):
        for folder in found.installed.get(name, ()):
            remove_package(folder, found.layout, keep=keep)
    asked = {canonicalize_name(Requirement(item.text).name) for item in lock.inputs.requirements}
    for package in packages:
        with open_wheel(wheels / locked_filename(package)) as wheel:
            unpack(wheel, found.layout, _metadata(package, requested=package.name in asked))
    return (*found.extraneous, *found.leftovers)


def _metadata(package: Package, *, requested: bool) -> dict[str, bytes]:
    """Return what an installer adds to a wheel: INSTALLER, REQUESTED, and direct_url.json."""
    files = {"INSTALLER": INSTALLER}
    if requested:
        files["REQUESTED"] = b""
    if package.archive is not None:
        # PEP 610, for what the user asked for by URL.
        archive = {"hashes": {"sha256": locked_file(package).hashes["sha256"]}}
        told = {"url": package.archive.url, "archive_info": archive}
        files["direct_url.json"] = json.dumps(told, sort_keys=True).encode()
    return files


def _confirm(lock: Lock, wheels: Path, environment: Interpreter) -> None:
    after = probe(environment.executable)
    if after is None:
        raise InputError("broken-environment", f"{environment.executable} does not run any more")
    left = survey(lock, wheels, after).differences
    if left:
        raise not_the_lock(left, environment.prefix)


def _check_space(packages: Sequence[Package], wheels: Path, found: Survey) -> None:
    """Compare what will be unpacked with what is free, and with what goes away before."""
    needed = 0
    for package in packages:
        with open_wheel(wheels / locked_filename(package)) as wheel:
            needed += wheel.unpacked
    free = shutil.disk_usage(found.layout.prefix).free
    for package in packages:
        for path in found.planned[str(package.name)]:
            free += os.lstat(path).st_size if os.path.lexists(path) else 0
    if needed > free:
        raise InputError(
            "no-space",
            f"{found.layout.prefix}: the packages take {needed / 1e6:.0f} MB, and {free / 1e6:.0f} MB are free",
            hint="free some space; nothing was changed",
        )


def _forbid_system_packages(layout: Layout) -> None:
    """Have pyvenv.cfg leave out the packages of the system's Python."""
    file = Path(layout.prefix, "pyvenv.cfg")
    if not file.exists():
        return
    text = read_regular(file, LARGEST_CONFIG)
    mended = SYSTEM_SITE.sub(rb"\1false", text)
    if mended != text:
        replace_file(file, mended, file.stat().st_mode & 0o777)
