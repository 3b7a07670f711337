"""HTTP for indexes: bounded, retried, and with errors that say which URL and what happened.

The only module that knows the HTTP library.
"""

from __future__ import annotations

import hashlib
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import IO, TYPE_CHECKING, Any, TypeVar

import requests
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import (
    HTTPError,
    ProtocolError,
    ReadTimeoutError,
)
from urllib3.util.retry import Retry

from rdna1_lock import __version__
from rdna1_lock.errors import NetworkError, one_line
from rdna1_lock.index.clock import Clock, Clocks, PlainPool, SecurePool
from rdna1_lock.index.http_errors import ATTEMPTS, network_error, status_error
from rdna1_lock.urls import BadURLError, origin, read_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

T = TypeVar("T")
TIMEOUT = (10.0, 30.0)
PAGE_LIMIT = 32 * 2**20
# One clock for a whole request, its redirects and retries; of a download, for each further part.
REQUEST_SECONDS = 120.0
RENEWED_BY = 256 * 2**10
CONNECTIONS = 16
LONGEST_PAUSE = 10.0
# Bounded: int() refuses thousands of digits.
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: status, headers in lower case, body, and the URL after redirects."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of a file from ``start`` on; ``total`` is the size of the file.

    ``whole`` is True where the server ignored the range and sent everything.
    """

    start: int
    total: int
    body: bytes
    whole: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that is being sent from byte ``at`` on (-1: there is nothing from there on)."""

    at: int
    total: int | None
    chunks: Iterator[bytes]


def _chunks(response: requests.Response, most: int) -> Iterator[bytes]:
    """Yield what has come as it comes; ``iter_content`` would wait for full chunks."""
    raw: Any = response.raw
    while chunk := raw.read1(most, decode_content=True):
        yield chunk


def _length(response: requests.Response) -> int | None:
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() and len(length) < 16 else None


class _Retry(Retry):
    """Waits as long as the index asks, within reason."""

    def get_retry_after(self, response: Any) -> float | None:
        try:
            asked = super().get_retry_after(response)
        except (ValueError, OverflowError, HTTPError):  # neither a number nor a date
            return None
        return None if asked is None else min(asked, LONGEST_PAUSE)


class _Adapter(HTTPAdapter):
    """urllib3's pools, with connections that are on the clock of their request."""

    def init_poolmanager(self, *arguments: Any, **more: Any) -> None:
        super().init_poolmanager(*arguments, **more)
        self._use_clocks(self.poolmanager)

    def proxy_manager_for(self, *arguments: Any, **more: Any) -> Any:
        manager = super().proxy_manager_for(*arguments, **more)
        self._use_clocks(manager)
        return manager

    @staticmethod
    def _use_clocks(manager: Any) -> None:
        # urllib3's documented way to another kind of connection.
        if manager.pool_classes_by_scheme["http"] is HTTPConnectionPool:
            manager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}


class _Session(requests.Session):
    """Follows redirects to clean URLs only, and sends credentials to their own origin only."""

    def __init__(self, credentials: dict[str, tuple[str, str]]) -> None:
        super().__init__()
        self._credentials = credentials

    def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        """Send a request; whatever the library makes of a header that it cannot read is its error."""
        try:
            return super().send(request, **more)
        except (ValueError, OverflowError) as error:
            if isinstance(error, requests.RequestException):
                raise
            raise requests.exceptions.InvalidHeader(
                f"its answer has a header that cannot be read ({one_line(error)})"
            ) from error

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        try:
            target = super().get_redirect_target(resp)
        except UnicodeError as error:
            resp.close()
            raise requests.exceptions.InvalidSchema("it redirects to what is not text") from error
        if not target:
            return None
        try:
            clean = read_url(target, base=resp.url, secure=resp.url.startswith("https:"))
            if clean.scheme == "file":
                raise BadURLError("names a file")
        except BadURLError as error:
            resp.close()
            raise requests.exceptions.InvalidSchema(
                f"it redirects to a URL that {error}; that is not followed"
            ) from error
        if clean.credentials is not None:
            self._credentials[origin(clean.text)] = clean.credentials
        return clean.text

    def rebuild_auth(
        self, prepared_request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]
        known = self._credentials.get(origin(str(prepared_request.url)))
        if known is not None:
            prepared_request.prepare_auth(known)


class Http:
    """Kept-alive connections to indexes, shared by threads.

    Credentials that stand in an index URL go to that scheme, host and port only. ``requests``
    adds proxies, certificates and netrc from the environment as it always does.
    """

    def __init__(self) -> None:
        retry = _Retry(
            total=ATTEMPTS - 1,
            read=1,
            other=0,  # a certificate does not get better by asking again
            backoff_factor=0.2,
            backoff_max=5,
            status_forcelist=(429, 500, 502, 503, 504),
            allowed_methods=("GET",),
            raise_on_status=False,
            respect_retry_after_header=True,
        )
        adapter = _Adapter(
            pool_connections=CONNECTIONS, pool_maxsize=CONNECTIONS, max_retries=retry
        )
        self._credentials: dict[str, tuple[str, str]] = {}
        self._clocks = Clocks()
        self._session = _Session(self._credentials)
        self._session.max_redirects = 5
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._session.headers["User-Agent"] = f"rdna1-lock/{__version__}"
        self._lock = Lock()
        self.requests = 0
        self.bytes = 0

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def learn_credentials(self, url: str) -> str:
        """Keep the user name and password of a URL for its origin; return the URL without."""
        clean = read_url(url)
        if clean.credentials is not None:
            self._credentials[origin(clean.text)] = clean.credentials
        return clean.text

    def learn(self, credentials: Mapping[str, tuple[str, str]]) -> None:
        """Keep user names and passwords by origin."""
        self._credentials.update(credentials)

    def get(self, url: str, headers: Mapping[str, str], *, limit: int | None = None) -> Answer:
        """Fetch a whole answer of at most ``limit`` bytes after decompression."""

        def attempt() -> Answer:
            with self._open(url, headers) as (response, _):
                body = self._read(response, url, limit or PAGE_LIMIT)
                return Answer(
                    status=response.status_code,
                    headers={key.lower(): value for key, value in response.headers.items()},
                    body=body,
                    url=response.url,
                )

        return self._retried(url, attempt)

    def get_range(self, url: str, span: str, *, whole_limit: int) -> Part | int:
        """Fetch ``bytes=span`` of a file; returns the status where that is not possible.

        A server that ignores the range is taken at its word up to ``whole_limit`` bytes.
        """

        def attempt() -> Part | int:
            headers = {"Range": f"bytes={span}", "Accept-Encoding": "identity"}
            with self._open(url, headers) as (response, _):
                if response.status_code == 200:
                    length = _length(response)
                    if length is None or length > whole_limit:
                        return 200
                    body = self._read(response, url, whole_limit)
                    return Part(0, len(body), body, whole=True)
                if response.status_code != 206:
                    return response.status_code
                match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
                body = self._read(response, url, PAGE_LIMIT)
                if not match or int(match[2]) - int(match[1]) + 1 != len(body):
                    return 416
                return Part(int(match[1]), int(match[3]), body, whole=False)

        return self._retried(url, attempt)

    @contextmanager
    def open_from(self, url: str, start: int) -> Iterator[Opened]:
        """Open a file from a byte on, for streaming; one attempt, without retries.

        Raises:
            NetworkError: for a status without content; ``broken_stream`` tells whether an
                exception while reading is worth another attempt.

        """
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        with self._open(url, headers) as (response, clock):
            total = _length(response)
            at = 0
            if response.status_code == 206 and start:
                match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
                if match is None or int(match[1]) != start:
                    raise NetworkError(
                        "wrong-range",
                        f"{url} sends another part than was asked for",
                        hint="delete the .part file next to the wheel and try again",
                    )
                at, total = start, int(match[3])
            elif response.status_code == 416:
                yield Opened(at=-1, total=None, chunks=iter(()))
                return
            elif response.status_code != 200:
                raise status_error(url, response.status_code)
            yield Opened(at=at, total=total, chunks=self._counted(response, clock))

    def _counted(self, response: requests.Response, clock: Clock) -> Iterator[bytes]:
        """Yield what comes; each further part renews the clock, a drip does not."""
        since = 0
        for chunk in _chunks(response, 1 << 20):
            self._count(0, len(chunk))
            since += len(chunk)
            if since >= RENEWED_BY:
                clock.renew()
                since = 0
            yield chunk

    def download(
        self,
        url: str,
        file: IO[bytes],
        progress: Callable[[int, int | None], None],
        *,
        also: str | None = None,
    ) -> tuple[str, str | None]:
        """Stream a file, hashing it; returns its sha256, and its digest by ``also``.

        ``progress`` gets (done, total) in bytes.
        """

        def attempt() -> tuple[str, str | None]:
            file.seek(0)
            file.truncate()
            digest, other = hashlib.sha256(), hashlib.new(also) if also else None
            with self._open(url, {"Accept-Encoding": "identity"}) as (response, clock):
                if response.status_code != 200:
                    raise status_error(url, response.status_code)
                total, done = _length(response), 0
                for chunk in self._counted(response, clock):
                    digest.update(chunk)
                    if other is not None:
                        other.update(chunk)
                    file.write(chunk)
                    done += len(chunk)
                    progress(done, total)
            return digest.hexdigest(), other.hexdigest() if other is not None else None

        return self._retried(url, attempt)

    @contextmanager
    def _open(
        self, url: str, headers: Mapping[str, str]
    ) -> Iterator[tuple[requests.Response, Clock]]:
        """Send a request; everything until its answer is read is on one clock.

        Raises:
            NetworkError: the clock ran out.

        """
        self._count(1, 0)
        with self._clocks.of(REQUEST_SECONDS) as clock:
            try:
                with self._session.get(
                    url,
                    headers=dict(headers),
                    auth=self._credentials.get(origin(url)),
                    timeout=TIMEOUT,
                    stream=True,
                ) as response:
                    yield response, clock
            except (requests.RequestException, HTTPError) as error:
                if clock.expired:
                    raise NetworkError(
                        "too-slow",
                        f"{url} was not complete after {REQUEST_SECONDS:.0f} seconds",
                        hint="try again, or name a mirror with --index-url",
                    ) from error
                raise

    def _read(self, response: requests.Response, url: str, limit: int) -> bytes:
        body = bytearray()
        for chunk in _chunks(response, 1 << 16):
            body += chunk
            if len(body) > limit:
                raise NetworkError(
                    "answer-too-large",
                    f"{url} sends more than {limit // 2**20} MiB",
                    hint="this is not an index page or metadata file; check the index URL",
                )
        raw: Any = response.raw
        self._count(0, raw.tell())
        return bytes(body)

    def _count(self, requests_made: int, received: int) -> None:
        with self._lock:
            self.requests += requests_made
            self.bytes += received

    def _retried(self, url: str, attempt: Callable[[], T]) -> T:
        for number in range(ATTEMPTS):
            try:
                return attempt()
            except (requests.RequestException, HTTPError) as error:
                cut_off = isinstance(error, (ProtocolError, ReadTimeoutError))
                if cut_off and number + 1 < ATTEMPTS:
                    time.sleep(0.2 * 2**number)
                    continue
                raise network_error(url, error) from error
        raise AssertionError
