"""The standard library's TOML reader, or the package that it came from on Python 3.10."""

from __future__ import annotations

import sys
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["TOMLDecodeError", "loads"]

TOMLDecodeError = tomllib.TOMLDecodeError


def loads(text: str) -> dict[str, Any]:
    """Read a TOML document.

    Raises:
        TOMLDecodeError: it is none; also where the reader gives up with another exception, on a
            number of thousands of digits or on arrays within arrays.

    """
    try:
        return tomllib.loads(text)
    except TOMLDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise TOMLDecodeError(f"it cannot be read ({type(error).__name__}: {error})") from error
