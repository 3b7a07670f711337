"""Open the indexes, folders and the cache for one run, and close them again."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rdna1_lock.index.cache import Cache, default_cache_dir
from rdna1_lock.index.http import Http
from rdna1_lock.index.simple import LocalWheels, SimpleIndex
from rdna1_lock.resolution.sources import Sources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from rdna1_lock.cli.render import Downloads
    from rdna1_lock.resolution.model import Request
    from rdna1_lock.rules import CataloguedWheel, RuleSet


@contextmanager
def open_sources(
    *,
    index_url: Callable[[], str],
    rocm_index_url: str | None,
    find_links: Iterable[Path],
    cache_dir: Path | None,
    offline: bool,
    live: bool,
    catalogue: Iterable[CataloguedWheel],
    request: Request,
    rules: RuleSet,
    downloads: Downloads,
) -> Iterator[tuple[Sources, Http]]:
    """Return the sources and the connections behind them."""
    http = Http()
    cache = Cache(cache_dir or default_cache_dir())

    def simple(url: str, *, forbidden_means_absent: bool = False) -> SimpleIndex:
        return SimpleIndex(
            url,
            http=http,
            cache=cache,
            offline=offline,
            forbidden_means_absent=forbidden_means_absent,
            on_download=downloads.update,
        )

    default = simple(index_url())
    sources = Sources(
        default=default,
        rocm=simple(rocm_index_url or request.stack.index, forbidden_means_absent=True),
        urls=default,
        local=LocalWheels(find_links),
        catalogue=catalogue,
        live=live,
        stack=request.stack,
        rules=rules,
        target=request.target,
    )
    try:
        yield sources, http
    finally:
        sources.close()
        downloads.close()
        http.close()
