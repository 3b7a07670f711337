"""One requirement: a name with a specifier (PEP 508), the URL of a wheel, or the path of one."""

from __future__ import annotations

import re
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from rdna1_lock.errors import InputError, UsageError
from rdna1_lock.index.parse import parse_direct_url

_URL = re.compile(r"\w+(\+\w+)?://")
# PEP 508: `name [extras] @ url`. What follows is a URL, whatever it looks like.
_NAMED_URL = re.compile(r"[\w.-]+\s*(\[[^\]]*\]\s*)?@")
_BUILD_ONE = "only wheels can be locked: build one with `pip wheel` and use --find-links"


def read_requirement(text: str, where: str, *, folder: Path | None) -> Requirement:
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
        return Requirement(text)
    except InvalidRequirement as error:
        raise error_type(
            "bad-requirement",
            f"{where}: `{text}` is not a valid requirement: {str(error).splitlines()[0]}",
            hint="write it as in `numpy>=1.22,<2` or `requests[socks]` (PEP 508)",
        ) from error


def _is_wheel_alone(text: str) -> bool:
    if _NAMED_URL.match(text):
        return False
    return bool(_URL.match(text)) or text.endswith(".whl") or text.startswith((".", "/"))


def _url_of(text: str, where: str, folder: Path, error_type: type[InputError | UsageError]) -> str:
    path = folder / text
    if path.suffix != ".whl" or not path.is_file():
        raise error_type(
            "not-a-wheel", f"{where}: `{text}` is not an existing wheel file", hint=_BUILD_ONE
        )
    return path.resolve().as_uri()


def _name_in_url(url: str, where: str, error_type: type[InputError | UsageError]) -> str:
    file = parse_direct_url(url)
    try:
        return parse_wheel_filename(file if isinstance(file, str) else file.filename)[0]
    except InvalidWheelFilename:
        raise error_type(
            "not-a-wheel", f"{where}: {url} does not name a wheel", hint=_BUILD_ONE
        ) from None
