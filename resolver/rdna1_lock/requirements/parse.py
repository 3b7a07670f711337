"""One requirement: a name with a specifier (PEP 508), the URL of a wheel, or the path of one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from packaging.utils import parse_wheel_filename

from rdna1_lock.errors import InputError, UsageError
from rdna1_lock.index.parse import parse_direct_url
from rdna1_lock.pep508 import read_pep508
from rdna1_lock.text import one_line, without_credentials
from rdna1_lock.urls import BadURLError, origin, read_url

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_URL = re.compile(r"\w+(\+\w+)?://")
_REPOSITORY = re.compile(r"\w+\+")
# PEP 508: `name [extras] @ url`. What follows is a URL, whatever it looks like.
_NAMED_URL = re.compile(r"[\w.-]+\s*(\[[^\]]*\]\s*)?@")
_BUILD_ONE = "only wheels can be locked: build one with `pip wheel` and use --find-links"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A requirement; ``credentials`` are those of its URL, which the requirement is without.

    They are (origin, user name, password).
    """

    parsed: Requirement
    credentials: tuple[str, str, str] | None = None


def read_requirement(text: str, where: str, *, folder: Path | None) -> Asked:
    """Read one requirement; ``folder`` is that of the file in which it stands.

    Raises:
        InputError: for a requirement in a file.
        UsageError: for one on the command line (``folder`` is None).

    """
    error_type = UsageError if folder is None else InputError
    if _is_wheel_alone(text):
        url = text if "://" in text else _url_of(text, where, folder or Path(), error_type)
        text = f"{_name_in_url(url, where, error_type)} @ {url}"
    try:
        parsed = read_pep508(text)
        # Not every place of PEP 508's grammar is bounded; what cannot be encoded is not a name.
        str(parsed).encode()
    except ValueError as error:
        first, _, _ = str(error).partition("\n")
        raise error_type(
            _code(error_type, "bad-requirement"),
            f"{where}: `{one_line(text, 200)}` is not a valid requirement: {one_line(first)}",
            hint="write it as in `numpy>=1.22,<2` or `requests[socks]` (PEP 508)",
        ) from error
    return (
        Asked(parsed=parsed)
        if parsed.url is None
        else _without_credentials(parsed, where, error_type)
    )


def _without_credentials(
    parsed: Requirement, where: str, error_type: type[InputError | UsageError]
) -> Asked:
    """Give a direct reference its clean URL; a repository's is refused later, with its reason."""
    url = str(parsed.url)
    if _REPOSITORY.match(url):
        parsed.url = without_credentials(url)
        return Asked(parsed=parsed)
    try:
        clean = read_url(url)
    except BadURLError as error:
        raise error_type(
            _code(error_type, "bad-requirement"), f"{where}: the URL of `{parsed.name}` {error}"
        ) from error
    fragment = f"#{quote(clean.fragment, safe='=&:%+-._~')}" if clean.fragment else ""
    parsed.url = clean.text + fragment
    if clean.credentials is None:
        return Asked(parsed=parsed)
    return Asked(parsed=parsed, credentials=(origin(clean.text), *clean.credentials))


def _is_wheel_alone(text: str) -> bool:
    if _NAMED_URL.match(text):
        return False
    return bool(_URL.match(text)) or text.endswith(".whl") or text.startswith((".", "/"))


def _url_of(text: str, where: str, folder: Path, error_type: type[InputError | UsageError]) -> str:
    path = folder / text
    if path.suffix != ".whl" or not path.is_file():
        raise error_type(
            _code(error_type, "not-a-wheel"),
            f"{where}: `{text}` is not an existing wheel file",
            hint=_BUILD_ONE,
        )
    return path.resolve().as_uri()


def _name_in_url(url: str, where: str, error_type: type[InputError | UsageError]) -> str:
    file = parse_direct_url(url)
    try:
        return parse_wheel_filename(file if isinstance(file, str) else file.filename)[0]
    except ValueError:
        raise error_type(
            _code(error_type, "not-a-wheel"),
            f"{where}: {url} does not name a wheel",
            hint=_BUILD_ONE,
        ) from None


def _code(error_type: type[InputError | UsageError], in_a_file: str) -> str:
    """One code has one exit status: a bad argument is another thing than a bad line of a file."""
    return in_a_file if error_type is InputError else "bad-argument"
