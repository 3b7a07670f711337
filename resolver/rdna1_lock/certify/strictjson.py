"""JSON that is signed: one text for each value, and no text that two readers could read in two ways."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from rdna1_lock.errors import IntegrityError, one_line

SIZE_LIMIT = 32 << 20


def dump(value: Any) -> bytes:
    """Write a value; keys stand in the order in which they were put."""
    text = json.dumps(value, indent=1, ensure_ascii=True, allow_nan=False)
    return text.encode("ascii") + b"\n"


def sha256(data: bytes) -> str:
    """Return the digest in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def load(data: bytes, name: str) -> dict[str, Any]:
    """Read an object; a key that stands twice, NaN and infinity are refused.

    Raises:
        IntegrityError: it is no such object.

    """
    try:
        if len(data) > SIZE_LIMIT:
            raise ValueError(f"it is larger than {SIZE_LIMIT >> 20} MiB")
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse)
        if not isinstance(value, dict):
            raise TypeError("it is no object")
    except (ValueError, TypeError, RecursionError) as error:
        raise IntegrityError(
            "bad-certificate",
            f"{name} is not what rdna1-lock writes: {one_line(error)}",
            hint="ask whoever gave it to you for the untouched file",
        ) from error
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [key for key, _ in pairs]
        raise ValueError(f"the key {max(names, key=names.count)!r} stands twice")
    return found


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no number")
