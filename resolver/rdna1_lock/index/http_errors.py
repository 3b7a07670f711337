"""What went wrong with a request, in words with a way out; the other module that knows the library."""

from __future__ import annotations

import requests
from urllib3.exceptions import (
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)

from rdna1_lock.errors import NetworkError, one_line

ATTEMPTS = 4


def from_library(error: Exception) -> bool:
    """Say whether an exception is one of the HTTP library; its base class is OSError."""
    return isinstance(error, (requests.RequestException, HTTPError))


def broken_stream(error: Exception) -> bool:
    """Say whether an exception means that a connection broke, so that going on may help."""
    return isinstance(
        error,
        (
            requests.exceptions.ConnectionError,
            requests.exceptions.Timeout,
            HTTPError,
        ),
    )


def status_error(url: str, status: int) -> NetworkError:
    """Turn a failed HTTP status into an error with a way out."""
    hints = {
        401: "the index wants credentials: put them into the index URL or into ~/.netrc",
        403: "the index refuses: check the URL and the credentials",
        404: "check the index URL: it must be the part before `/<project>/`",
        429: "the index asks for a pause: try again later",
    }
    later = "the index is in trouble: try again later, or name a mirror with --index-url"
    return NetworkError(
        "http-status",
        f"{url} answered {status}",
        hint=hints.get(status, later if status >= 500 else "check the index URL"),
    )


def network_error(url: str, error: Exception) -> NetworkError:
    """Turn an exception of the HTTP library into one that says what happened."""
    what = f"{one_line(error)}"
    hint = "check the network, or work from the cache with --offline"
    cause: BaseException | None = error
    seen: list[BaseException] = []
    while cause is not None and cause not in seen:
        seen.append(cause)
        reason = getattr(cause, "reason", None) or (cause.args[0] if cause.args else None)
        cause = reason if isinstance(reason, BaseException) else cause.__cause__
    if any(isinstance(item, NameResolutionError) for item in seen):
        what, hint = "the name of the host is not known", f"check the spelling of the URL; {hint}"
    elif isinstance(error, requests.exceptions.SSLError):
        what = f"the TLS connection cannot be trusted ({one_line(seen[-1])})"
        hint = "a private certificate authority is named by REQUESTS_CA_BUNDLE=/path/to/bundle.pem"
    elif isinstance(error, requests.exceptions.ProxyError):
        what, hint = "the proxy does not answer", "check HTTPS_PROXY and NO_PROXY"
    elif isinstance(error, requests.exceptions.ConnectTimeout):
        what = "no connection within 10 seconds"
    elif isinstance(error, requests.exceptions.TooManyRedirects):
        what, hint = "it redirects in a circle", "check the index URL"
    elif isinstance(error, requests.exceptions.InvalidSchema):
        hint = "check the index URL"
    elif (
        isinstance(error, (requests.exceptions.Timeout, ReadTimeoutError))
        or "Read timed out" in what
    ):
        what = "no answer within 30 seconds"
    elif isinstance(error, ProtocolError):
        what = f"the answer was cut off, {ATTEMPTS} times"
    elif any(isinstance(item, NewConnectionError) for item in seen):
        detail = one_line(seen[-1]).rpartition("]")[2].rpartition(":")[2].strip().lower()
        what = f"the connection failed: {detail}"
    return NetworkError("unreachable", f"{url}: {what}", hint=hint)
