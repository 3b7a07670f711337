"""A simple index behind HTTP: pages revalidated, metadata by the cheapest way that works."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from threading import Lock
from typing import IO, TYPE_CHECKING, Any, TypeVar, cast

from rdna1_lock.errors import NetworkError
from rdna1_lock.hashes import agree, hash_file
from rdna1_lock.index.http_errors import status_error
from rdna1_lock.index.interface import BadWheelError, NoRangesError, Page
from rdna1_lock.index.metadata import (
    METADATA_LIMIT,
    RemoteFile,
    metadata_from_zip,
    parse_metadata,
)
from rdna1_lock.index.parse import NotAnIndexPageError, parse_page
from rdna1_lock.model import IndexFile, WheelMetadata
from rdna1_lock.regular import open_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable
    from concurrent.futures import Future
    from pathlib import Path

    from rdna1_lock.index.cache import Cache
    from rdna1_lock.index.http import Answer, Http, Part
    from rdna1_lock.model import Wheel

T = TypeVar("T")
ACCEPT = (
    "application/vnd.pypi.simple.v1+json, "
    "application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
)
# PyPI lets clients reuse a page for ten minutes; nobody needs a longer memory than that.
LONGEST_FRESHNESS = 600
_SECONDS = re.compile(r"[0-9]{1,18}")
# A server that knows no ranges may send a small wheel whole; a large one is streamed to disk.
SMALL_WHEEL = 8 * 2**20
WORKERS = 8
# The form in which pages are kept; a change of IndexFile is a new one.
PAGE_FORM = "2"
CONTRADICTS_ITSELF = "do not trust an index that contradicts itself; report it to its owner"


class SimpleIndex:
    """One index (PEP 503, 691, 700, 592, 658, 714), fetched in parallel, cached.

    ``forbidden_means_absent`` is for indexes on object stores, such as PyTorch's, that answer
    403 for what does not exist. ``on_download`` gets the progress of whole wheels that must be read.
    With ``revalidate`` no page and no METADATA in the cache is believed unless its own hash names
    it: pages are asked for again, with the ETag of the old one.
    """

    def __init__(
        self,
        url: str,
        *,
        http: Http,
        cache: Cache,
        offline: bool = False,
        forbidden_means_absent: bool = False,
        revalidate: bool = False,
        on_download: Callable[[str, int, int | None], None] = lambda *_: None,
    ) -> None:
        self.url = http.learn_credentials(url).rstrip("/")
        self._http = http
        self._cache = cache
        self._offline = offline
        self._revalidate = revalidate and not offline
        self._absent = {404, 410} | ({403} if forbidden_means_absent else set())
        self._on_download = on_download
        self._pool: ThreadPoolExecutor | None = None
        self._futures: dict[Hashable, Future[Any]] = {}
        self._taken: set[str] = set()
        self._lock = Lock()
        # Pages become objects in one thread, which costs no speed under the GIL: each thread that
        # allocates them would get an arena of its own from the C library, and 50 MB more in all.
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="pages")

    def close(self) -> None:
        """Forget requests that have not started."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._reader.shutdown(wait=False, cancel_futures=True)

    def page(self, name: str) -> Page:
        """Return all files of a project; the caller keeps what it needs of them.

        A page may name 20,000 files, of which a resolution keeps the few that fit.
        """
        key = ("page", name)
        page = self._start(key, partial(self._page, name)).result()
        with self._lock:
            self._taken.add(name)
            self._futures.pop(key, None)
        return page

    def metadata(self, wheel: Wheel) -> WheelMetadata:
        """Return what a wheel requires."""
        return self._start(("metadata", wheel.file.url), partial(self._metadata, wheel)).result()

    def sha256(self, wheel: Wheel) -> str:
        """Return the hash that the index states, else that of the bytes, streamed once."""
        stated = wheel.file.sha256
        if stated is not None:
            seen = self._cache.get("sha256", f"url {wheel.file.url}")
            agree(
                wheel.filename,
                {
                    "the index page": stated,
                    f"read earlier from {wheel.file.url}": seen.decode("ascii") if seen else None,
                },
                hint=CONTRADICTS_ITSELF,
            )
            return stated
        return self._start(("sha256", wheel.file.url), partial(self._sha256, wheel)).result()

    def prefetch_pages(self, names: Iterable[str]) -> None:
        """Start to fetch pages that will be asked for, and were not yet."""
        for name in names:
            if name not in self._taken:
                self._start(("page", name), partial(self._page, name))

    def prefetch_metadata(self, wheels: Iterable[Wheel]) -> None:
        """Start to fetch metadata that will be asked for."""
        for wheel in wheels:
            self._start(("metadata", wheel.file.url), partial(self._metadata, wheel))

    def prefetch_hashes(self, wheels: Iterable[Wheel]) -> None:
        """Start to read the wheels whose hash nobody states."""
        for wheel in wheels:
            if wheel.file.sha256 is None:
                self._start(("sha256", wheel.file.url), partial(self._sha256, wheel))

    def _start(self, key: Hashable, job: Callable[[], T]) -> Future[T]:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="index")
            if key not in self._futures:
                self._futures[key] = self._pool.submit(job)
            return self._futures[key]

    def _page(self, name: str) -> Page:
        url = f"{self.url}/{name}/"
        stored = self._stored_page(url)
        fresh = stored is not None and stored["fresh-until"] > time.time()
        if self._offline or (fresh and not self._revalidate):
            if stored is None:
                raise NetworkError(
                    "offline",
                    f"the page of `{name}` is not in the cache",
                    hint="run once without --offline",
                )
            return self._reader.submit(_page_from, stored, name).result()
        headers = {"Accept": ACCEPT}
        if stored is not None:
            for header, key in (("If-None-Match", "etag"), ("If-Modified-Since", "last-modified")):
                if stored[key]:
                    headers[header] = stored[key]
        answer = self._http.get(url, headers)
        if answer.status == 304 and stored is not None:
            again = {**stored, "fresh-until": _fresh_until(answer.headers)}
            self._cache.put("page", f"{PAGE_FORM} {url}", json.dumps(again).encode())
            return self._reader.submit(_page_from, stored, name).result()
        if answer.status in self._absent:
            return Page(name=name, found=False)
        if answer.status != 200:
            raise status_error(url, answer.status)
        return self._reader.submit(self._read, name, url, answer).result()

    def _read(self, name: str, url: str, answer: Answer) -> Page:
        try:
            files = parse_page(answer.body, answer.headers.get("content-type", ""), answer.url)
        except NotAnIndexPageError as error:
            raise NetworkError(
                "not-an-index",
                f"what {url} sends is not a page of a package index: {error}",
                hint="check the index URL: it must be the part before `/<project>/`",
            ) from error
        entry = {
            "etag": answer.headers.get("etag", ""),
            "last-modified": answer.headers.get("last-modified", ""),
            "fresh-until": _fresh_until(answer.headers),
            "files": [_file_to_json(file) for file in files],
        }
        self._cache.put("page", f"{PAGE_FORM} {url}", json.dumps(entry).encode())
        return Page(name=name, found=True, files=files)

    def _stored_page(self, url: str) -> dict[str, Any] | None:
        body = self._cache.get("page", f"{PAGE_FORM} {url}")
        return None if body is None else self._reader.submit(json.loads, body).result()

    def _metadata(self, wheel: Wheel) -> WheelMetadata:
        file = wheel.file
        key = _metadata_key(file)
        content = self._remembered(key)
        if content is not None:
            return self._reader.submit(parse_metadata, content, wheel).result()
        if self._offline:
            raise NetworkError(
                "offline",
                f"the metadata of {file.filename} is not in the cache",
                hint="run once without --offline",
            )
        content = self._metadata_file(file)
        if content is None:
            key, content = f"url {file.url}", self._metadata_from_wheel(wheel)
        metadata = self._reader.submit(parse_metadata, content, wheel).result()
        self._cache.put("metadata", key, content)
        return metadata

    def _remembered(self, key: str) -> bytes | None:
        """Return METADATA from the cache; to revalidate, only what is named by its own hash."""
        if self._revalidate and not key.startswith("sha256 "):
            return None
        return self._cache.get("metadata", key)

    def _metadata_file(self, file: IndexFile) -> bytes | None:
        """PEP 658: the metadata file is the wheel's URL with ``.metadata`` appended."""
        if file.core_metadata is None:
            return None
        answer = self._http.get(f"{file.url}.metadata", {}, limit=METADATA_LIMIT)
        if answer.status != 200:
            return None
        agree(
            f"{file.filename}.metadata",
            {
                "the index page": file.core_metadata or None,
                f"{file.url}.metadata": hashlib.sha256(answer.body).hexdigest(),
            },
            hint=CONTRADICTS_ITSELF,
        )
        return answer.body

    def _metadata_from_wheel(self, wheel: Wheel) -> bytes:
        url = wheel.file.url

        def fetch(span: str) -> Part:
            part = self._http.get_range(url, span, whole_limit=SMALL_WHEEL)
            if isinstance(part, int):
                raise NoRangesError(part)
            return part

        try:
            remote = RemoteFile(fetch, wheel.file.size)
            content = metadata_from_zip(remote, wheel)
        except NoRangesError as error:
            if error.status not in {200, 416, 501}:
                raise status_error(url, error.status) from error
            with tempfile.TemporaryFile() as whole:
                self._remember(wheel, self._download(wheel, whole))
                return metadata_from_zip(cast("Any", whole), wheel)
        if remote.whole is not None:
            self._check_other(wheel, remote.whole)
            self._remember(wheel, hashlib.sha256(remote.whole).hexdigest())
        return content

    @staticmethod
    def _check_other(wheel: Wheel, content: bytes) -> None:
        algorithm, _, digest = (wheel.file.other_hash or "").partition(":")
        if algorithm:
            found = hashlib.new(algorithm, content).hexdigest()
            agree(
                wheel.filename,
                {"the index page": digest, wheel.file.url: found},
                algorithm=algorithm,
                hint=CONTRADICTS_ITSELF,
            )

    def _remember(self, wheel: Wheel, digest: str) -> None:
        agree(
            wheel.filename,
            {"the index page": wheel.file.sha256, wheel.file.url: digest},
            hint=CONTRADICTS_ITSELF,
        )
        self._cache.put("sha256", f"url {wheel.file.url}", digest.encode())

    def _sha256(self, wheel: Wheel) -> str:
        # Kept with --upgrade too: it may be of gigabytes, and whoever installs holds the wheel
        # against the hash that was locked.
        known = self._cache.get("sha256", f"url {wheel.file.url}")
        if known is not None:
            return known.decode("ascii")
        if self._offline:
            raise NetworkError(
                "offline",
                f"nobody states the hash of {wheel.filename}, and it is not in the cache",
                hint="run once without --offline; the wheel is then read once",
            )
        with tempfile.TemporaryFile() as whole:
            digest = self._download(wheel, whole)
        self._remember(wheel, digest)
        return digest

    def _download(self, wheel: Wheel, file: IO[bytes]) -> str:
        stated = wheel.file.other_hash
        algorithm, _, digest = (stated or "").partition(":")
        found = self._http.download(
            wheel.file.url,
            file,
            partial(self._on_download, wheel.filename),
            also=algorithm or None,
        )
        agree(
            wheel.filename,
            {"the index page": digest or None, wheel.file.url: found[1]},
            algorithm=algorithm,
            hint=CONTRADICTS_ITSELF,
        )
        return found[0]


class LocalWheels:
    """Wheels in folders (``--find-links``), hashed when they are chosen."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._files = [
            IndexFile(
                filename=path.name,
                url=path.resolve().as_uri(),
                size=path.stat().st_size,
                local_path=str(path),
            )
            for folder in folders
            for path in sorted(folder.glob("*.whl"))
            if path.is_file()
        ]

    def page(self, name: str) -> Page:
        """Return the wheels whose file name starts with the project's name."""
        # PEP 427: within a file name the project's name has no hyphen.
        stem = name.replace("-", "_")
        files = tuple(
            file
            for file in self._files
            if file.filename.partition("-")[0].lower().replace(".", "_").replace("__", "_") == stem
        )
        return Page(name=name, found=bool(files), files=files)

    def metadata(self, wheel: Wheel) -> WheelMetadata:
        """Read METADATA from the wheel."""
        try:
            with open_regular(wheel.file.local_path or "") as file:
                return parse_metadata(metadata_from_zip(cast("Any", file), wheel), wheel)
        except OSError as error:
            raise BadWheelError(f"it cannot be read ({error})") from error

    def sha256(self, wheel: Wheel) -> str:
        """Hash the wheel."""
        return hash_file(wheel.file.local_path or "")

    def prefetch_pages(self, names: Iterable[str]) -> None:
        """Nothing to fetch."""

    def prefetch_metadata(self, wheels: Iterable[Wheel]) -> None:
        """Nothing to fetch."""

    def prefetch_hashes(self, wheels: Iterable[Wheel]) -> None:
        """Nothing to read ahead."""

    def close(self) -> None:
        """Nothing to stop."""


def _metadata_key(file: IndexFile) -> str:
    """Return a name that is a fact: the hash of METADATA itself, else where it was read.

    Not the hash of the wheel that a page states: whoever owns another index could state it too,
    with other METADATA, and so take a dependency out of somebody else's wheel.
    """
    return f"sha256 {file.core_metadata}" if file.core_metadata else f"url {file.url}"


def _fresh_until(headers: Any) -> float:
    for part in str(headers.get("cache-control", "")).split(","):
        name, _, value = part.strip().partition("=")
        if name == "max-age" and _SECONDS.fullmatch(value):
            return time.time() + min(int(value), LONGEST_FRESHNESS)
    return 0.0


def _file_to_json(file: IndexFile) -> dict[str, Any]:
    return {key: value for key, value in asdict(file).items() if value is not None}


def _page_from(stored: dict[str, Any], name: str) -> Page:
    return Page(name=name, found=True, files=tuple(IndexFile(**file) for file in stored["files"]))
