"""Compare one installed file with what its wheel put there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rdna1_lock.install.place import digest, digest_of
from rdna1_lock.install.wheelfile import INTERPRETER, LARGEST_SCRIPT
from rdna1_lock.regular import read_regular

if TYPE_CHECKING:
    from rdna1_lock.install.plan import Planned

LONGEST_SHEBANG = 8192
LARGEST_STARTER = 64 * 1024


def same(planned: Planned) -> bool:
    """Compare a file with its member: by the hash in RECORD, else by the member's bytes."""
    if planned.starts is not None:
        return _starts(planned.path, planned.starts)
    if planned.member is None:
        return True
    size = planned.member.info.file_size
    if planned.scheme == "scripts" and size <= LARGEST_SCRIPT:
        with planned.member.open() as file:
            content = file.read()
        if content.startswith(INTERPRETER):
            return _same_script(planned.path, content.partition(b"\n")[2])
    if os.lstat(planned.path).st_size != size:
        return False
    algorithm, _, value = planned.recorded.partition("=")
    if value and digest_of(planned.path, algorithm) == value.rstrip("="):
        return True
    # RECORD states no strong hash, or a wrong one. The bytes of the locked wheel decide.
    with planned.member.open() as file:
        return digest_of(planned.path) == digest(file)


def _same_script(path: str, body: bytes) -> bool:
    """Compare a script but for its first lines, which name the interpreter."""
    try:
        text = read_regular(path, len(body) + LONGEST_SHEBANG, follow=False)
    except OSError:
        return False
    return text.startswith(b"#!") and text.endswith(body)


def _starts(path: str, starts: tuple[str, str]) -> bool:
    """Say whether a script is one that pip, uv or installer makes for an entry point."""
    module, attribute = starts
    try:
        text = read_regular(path, LARGEST_STARTER, follow=False)
    except OSError:
        return False
    line = f"from {module} import {attribute.partition('.')[0]}"
    return text.startswith(b"#!") and line.encode() in text
