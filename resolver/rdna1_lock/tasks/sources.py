"""Open the indexes, folders and the cache for one run, and close them again."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rdna1_lock.index.cache import Cache
from rdna1_lock.index.http import Http
from rdna1_lock.index.simple import LocalWheels, SimpleIndex
from rdna1_lock.resolution.sources import Sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from rdna1_lock.resolution.model import Request
    from rdna1_lock.rules import CataloguedWheel, RuleSet
    from rdna1_lock.tasks.context import Context
    from rdna1_lock.tasks.request import ResolveRequest


@contextmanager
def open_sources(
    request: ResolveRequest,
    asked: Request,
    context: Context,
    *,
    index_url: str,
    find_links: Iterable[Path],
    credentials: Mapping[str, tuple[str, str]],
    catalogue: Iterable[CataloguedWheel],
    rules: RuleSet,
) -> Iterator[tuple[Sources, Http]]:
    """Return the sources and the connections behind them."""
    http = Http()
    http.learn(credentials)
    cache = Cache(context.cache)

    def simple(url: str, *, forbidden_means_absent: bool = False) -> SimpleIndex:
        return SimpleIndex(
            url,
            http=http,
            cache=cache,
            offline=request.offline,
            forbidden_means_absent=forbidden_means_absent,
            revalidate=request.upgrade,
            on_download=context.update,
        )

    default = simple(index_url)
    sources = Sources(
        default=default,
        rocm=simple(request.rocm_index_url or asked.stack.index, forbidden_means_absent=True),
        urls=default,
        local=LocalWheels(find_links),
        catalogue=catalogue,
        live=request.live,
        stack=asked.stack,
        rules=rules,
        target=asked.target,
    )
    try:
        yield sources, http
    finally:
        sources.close()
        http.close()
