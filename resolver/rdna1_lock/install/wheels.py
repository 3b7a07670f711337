"""The wheels of a lock, on disk: found, fetched in parallel, verified."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from rdna1_lock.errors import CancelledError, Error, InputError, NetworkError
from rdna1_lock.hashes import CHUNK, agree, hash_file, is_right
from rdna1_lock.index.fetch import Wanted, alone, fetch_file
from rdna1_lock.index.parse import parse_direct_url
from rdna1_lock.lock.model import is_own, locked_file
from rdna1_lock.regular import open_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from packaging.pylock import Package

    from rdna1_lock.index.http import Http
    from rdna1_lock.index.interface import Progress
    from rdna1_lock.index.simple import SimpleIndex
    from rdna1_lock.lock.model import Lock

JOBS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a run did: files that came, and files that were there already."""

    fetched: tuple[str, ...]
    kept: tuple[str, ...]


def locked_filename(package: Package) -> str:
    """Return the file name of a locked wheel."""
    if package.wheels:
        return package.wheels[0].filename
    file = parse_direct_url(str(locked_file(package).url))
    if isinstance(file, str):
        raise InputError("bad-lock", f"`{package.name}`: its URL {file}")
    return file.filename


def all_there(lock: Lock, folder: Path) -> bool:
    """Say whether a folder holds all wheels of a lock, by name; ``fetch_wheels`` checks hashes."""
    return all((folder / locked_filename(package)).is_file() for package in lock.packages)


def check_wheels(lock: Lock, folder: Path) -> tuple[int, int]:
    """Return how many of the locked wheels a folder holds, and how many are locked.

    Raises:
        IntegrityError: one that is there is not the locked one.

    """
    here = 0
    for package in lock.packages:
        path = folder / locked_filename(package)
        if not path.is_file():
            continue
        agree(
            path.name,
            {"the lock": _sha256(package), str(path): hash_file(path)},
            hint=f"delete {path}; `rdna1-lock fetch LOCK` downloads the right one",
        )
        here += 1
    return here, len(lock.packages)


def fetch_wheels(
    lock: Lock,
    folder: Path,
    *,
    http: Http,
    index: Callable[[], SimpleIndex],
    find_links: Iterable[Path],
    progress: Progress,
) -> Fetched:
    """Have all wheels of a lock in a folder.

    ``index`` is asked for the URLs of a portable lock only. Files that have come stay, whatever
    happens to the others.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            "cannot-write",
            f"{folder} cannot be made: {error.strerror}",
            hint="choose another place with --dest",
        ) from error
    missing = [
        package
        for package in lock.packages
        if not _is_there(folder / locked_filename(package), _sha256(package))
    ]
    kept = tuple(
        sorted(locked_filename(p) for p in lock.packages if all(p is not m for m in missing))
    )
    wanted, failures = [], []
    for package in missing:
        if not _copied(package, folder, find_links):
            try:
                wanted.append(_wanted(package, index))
            except Error as error:
                failures.append(error)
    _check_space(wanted, folder)
    progress.expect({one.filename: one.size for one in wanted if one.size is not None})
    with ThreadPoolExecutor(JOBS, thread_name_prefix="fetch") as pool:
        running = [pool.submit(fetch_file, http, one, folder, progress.update) for one in wanted]
        for future in running:
            try:
                future.result()
            except Error as error:
                failures.append(error)
    if failures:
        raise _together(failures)
    return Fetched(fetched=tuple(sorted(locked_filename(p) for p in missing)), kept=kept)


def _sha256(package: Package) -> str:
    return str(locked_file(package).hashes["sha256"])


def _is_there(path: Path, sha256: str) -> bool:
    """Say whether the locked wheel is there; one that may not be read is not fetched again."""
    try:
        return hash_file(path) == sha256
    except PermissionError as error:
        raise InputError(
            "cannot-read",
            f"{path} cannot be read: {error.strerror}",
            hint="check the permissions of the file and of its folder",
        ) from error
    except OSError:
        return False


def _copied(package: Package, folder: Path, find_links: Iterable[Path]) -> bool:
    """Copy a wheel of the user's own from where it lies."""
    name, sha256 = locked_filename(package), _sha256(package)
    for place in find_links:
        if not is_right(place / name, sha256):
            continue
        part = folder / f".{name}.part"
        with alone(part) as file:
            file.truncate(0)
            with open_regular(place / name) as source:
                shutil.copyfileobj(source, file, CHUNK)
            file.flush()
            os.fsync(file.fileno())
            part.replace(folder / name)
        return True
    return False


def _wanted(package: Package, index: Callable[[], SimpleIndex]) -> Wanted:
    file, name, digest = locked_file(package), locked_filename(package), _sha256(package)
    if file.url is not None:
        return Wanted(filename=name, url=file.url, sha256=digest, size=file.size)
    if is_own(package):
        raise InputError(
            "own-wheel-missing",
            f"{name} is a wheel of somebody's own, and no index has it",
            hint="name the folder where it lies with --find-links",
        )
    page = index().page(canonicalize_name(package.name))
    for offered in page.files:
        if offered.filename == name:
            agree(name, {"the lock": digest, "the index": offered.sha256})
            return Wanted(
                filename=name, url=offered.url, sha256=digest, size=file.size or offered.size
            )
    raise NetworkError(
        "file-gone",
        f"the default index does not have {name}",
        hint="name the index that the lock was made with by --index-url, or a folder by --find-links",
    )


def _check_space(wanted: list[Wanted], folder: Path) -> None:
    needed = 0
    for one in wanted:
        try:
            done = (folder / f".{one.filename}.part").lstat().st_size
        except OSError:
            done = 0
        needed += max(0, (one.size or 0) - done)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(
            "no-space",
            f"{folder}: {needed / 1e6:.0f} MB are needed and {free / 1e6:.0f} MB are free",
            hint="free some space or choose another place with --dest",
        )


def _together(failures: list[Error]) -> Error:
    """Return the worst failure, with the others as facts: integrity goes before all."""
    failures.sort(key=lambda error: -error.exit_status)
    first = failures[0]
    if isinstance(first, CancelledError):
        return first
    others = tuple(error.message for error in failures[1:])
    hint = first.hint
    if isinstance(first, NetworkError):
        hint = "check the network and run again: what has come is kept"
    return type(first)(first.code, first.message, facts=(*first.facts, *others), hint=hint)
