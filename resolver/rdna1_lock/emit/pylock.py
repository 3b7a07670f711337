"""``pylock.toml``: PEP 751, the single source of a lock folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tomli_w

from rdna1_lock.lock.document import document

if TYPE_CHECKING:
    from rdna1_lock.lock.model import Lock


def emit_pylock(lock: Lock) -> str:
    """Return the text of ``pylock.toml``; equal locks give equal text."""
    return tomli_w.dumps(document(lock))
