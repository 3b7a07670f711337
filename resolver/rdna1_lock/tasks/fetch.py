"""The wheels of a lock, into a folder: from the URLs that it names, an index, or other folders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdna1_lock.errors import InputError
from rdna1_lock.tasks.opening import open_for

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rdna1_lock.index.simple import SimpleIndex
    from rdna1_lock.install.wheels import Fetched
    from rdna1_lock.lock.model import Lock
    from rdna1_lock.tasks.context import Context


@dataclass(frozen=True, kw_only=True)
class FetchRequest:
    """Which lock to fetch for; ``dest`` is by default the folder ``wheels`` next to it."""

    lock: Path
    dest: Path | None = None
    index_url: str | None = None
    find_links: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchResult:
    """The folder, and the file names that were fetched or were there already."""

    folder: Path
    fetched: tuple[str, ...]
    kept: tuple[str, ...]


def fetch(request: FetchRequest, context: Context) -> FetchResult:
    """Download the wheels of a lock, resumed and verified.

    Raises:
        InputError: the lock cannot be read, or the disk cannot be written.
        IntegrityError: bytes are not those that were locked; nothing of them is kept.
        NetworkError: a server cannot be reached or gives up too often.

    """
    lock, wheels = open_for(request.lock, context)
    folder = request.dest or own_wheels(wheels)
    done = fetch_into(
        lock, folder, index_url=request.index_url, find_links=request.find_links, context=context
    )
    return FetchResult(folder=folder, fetched=done.fetched, kept=done.kept)


def own_wheels(folder: Path) -> Path:
    """Return the folder ``wheels`` of a lock.

    Raises:
        InputError: it is a symbolic link out of the lock's folder. Whoever shared the lock chose
            where it leads, and files there would be replaced.

    """
    target, home = folder.resolve(), folder.parent.resolve()
    if folder.is_symlink() and home not in target.parents:
        raise InputError(
            "wheels-elsewhere",
            f"{folder} is a symbolic link to {target}, which is not in the folder of the lock",
            hint=f"to use that folder, name it: `--dest {target}` for fetch, `--wheels` for sync",
        )
    return folder


def fetch_into(
    lock: Lock,
    folder: Path,
    *,
    index_url: str | None,
    find_links: Iterable[Path],
    context: Context,
) -> Fetched:
    """Ensure that a folder holds the wheels of a lock."""
    from rdna1_lock.index.cache import Cache  # the HTTP library: 150 ms
    from rdna1_lock.index.http import Http
    from rdna1_lock.index.settings import default_index_url
    from rdna1_lock.index.simple import SimpleIndex
    from rdna1_lock.install.wheels import fetch_wheels

    def url() -> str:
        return index_url or default_index_url(context.environ, context.cache)

    http = Http()
    made: list[SimpleIndex] = []

    def index() -> SimpleIndex:
        if not made:
            made.append(SimpleIndex(url(), http=http, cache=Cache(None)))
        return made[0]

    if index_url is not None or lock.inputs.index is not None:
        # The files of a private index want the credentials of its pages.
        http.learn_credentials(url())
    try:
        return fetch_wheels(
            lock, folder, http=http, index=index, find_links=find_links, progress=context
        )
    finally:
        for one in made:
            one.close()
        http.close()
