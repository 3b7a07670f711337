"""Signed JSON: one text for each value, and no text that two parsers could read differently.

RFC 8259, section 4, leaves open what a repeated name in an object means, and section 6 has no
number for NaN or infinity; Python's parser accepts both.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from rdna1_lock.errors import IntegrityError, one_line

SIZE_LIMIT = 32 << 20


def dump(value: Any) -> bytes:
    """Write a value; keys keep the order in which they were inserted."""
    text = json.dumps(value, indent=1, ensure_ascii=True, allow_nan=False)
    return text.encode("ascii") + b"\n"


def sha256(data: bytes) -> str:
    """Return the digest in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def load(data: bytes, name: str) -> dict[str, Any]:
    """Read an object; repeated keys, NaN and infinity are refused.

    Raises:
        IntegrityError: it is not such an object.

    """
    try:
        if len(data) > SIZE_LIMIT:
            raise ValueError(f"it is larger than {SIZE_LIMIT >> 20} MiB")
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse)
        if not isinstance(value, dict):
            raise TypeError("it is not an object")
    except (ValueError, TypeError, RecursionError) as error:
        raise IntegrityError(
            "bad-certificate",
            f"{name} was not written by rdna1-lock: {one_line(error)}",
            hint="ask its author for the original file",
        ) from error
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [key for key, _ in pairs]
        raise ValueError(f"the key {max(names, key=names.count)!r} occurs twice")
    return found


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def get(value: Any, *keys: str) -> Any:
    """Return a nested value; None where a level is missing or is not an object."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
