"""What the commands on a lock share: its argument, the index options, the download."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rdna1_lock.cli.render import Downloads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rdna1_lock.install.wheels import Fetched
    from rdna1_lock.lock.model import Lock

LOCK = click.argument("lock", metavar="LOCK", type=click.Path(path_type=Path))
INDEX_OPTIONS = [
    click.option(
        "--index-url",
        metavar="URL",
        help="Default index, for portable locks [default: the one that pip is configured for].",
    ),
    click.option(
        "-f",
        "--find-links",
        metavar="DIR",
        multiple=True,
        type=click.Path(path_type=Path),
        help="Folder with wheels of your own, or fetched earlier.",
    ),
]


def options(decorators: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """Apply several options to a command."""

    def apply(function: Any) -> Any:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return apply


def flake_reference(folder: Path) -> str:
    """Write a folder so that Nix does not take it for a name in its registry."""
    text = str(folder)
    return text if text.startswith(("/", "./", "../")) or text in {".", ".."} else f"./{text}"


def fetch_into(
    lock: Lock, folder: Path, *, index_url: str | None, find_links: Iterable[Path], quiet: bool
) -> Fetched:
    """Have the wheels of a lock in a folder, with progress on a terminal."""
    from rdna1_lock.index.cache import Cache  # the HTTP library: 150 ms
    from rdna1_lock.index.http import Http
    from rdna1_lock.index.simple import SimpleIndex
    from rdna1_lock.install.wheels import fetch_wheels

    http = Http()
    made: list[SimpleIndex] = []

    def index() -> SimpleIndex:
        if not made:
            from rdna1_lock.index.settings import default_index_url

            made.append(SimpleIndex(index_url or default_index_url(), http=http, cache=Cache(None)))
        return made[0]

    if index_url is not None or lock.inputs.index is not None:
        # The files of a private index want the credentials of its pages.
        from rdna1_lock.index.settings import default_index_url

        http.learn_credentials(index_url or default_index_url())
    downloads = Downloads(quiet=quiet)
    try:
        return fetch_wheels(
            lock, folder, http=http, index=index, find_links=find_links, progress=downloads
        )
    finally:
        downloads.close()
        for one in made:
            one.close()
        http.close()
