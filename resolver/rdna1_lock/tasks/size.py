"""How much a lock is to download and to install, as far as anybody states it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdna1_lock.errors import UsageError
from rdna1_lock.lock.model import locked_file
from rdna1_lock.rules import load_stack

if TYPE_CHECKING:
    from rdna1_lock.lock.model import Lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Bytes to download and bytes on disk once installed; both are lower bounds.

    ``unknown`` counts the wheels whose size neither the index nor the stack states. ``installed``
    takes a wheel for no larger than it is packed, except the torch family, of which the stack says it.
    """

    download: int
    installed: int
    unknown: int

    @property
    def together(self) -> int:
        """What the disk must have: the wheels, and the environment made of them."""
        return self.download + self.installed


def size_of(lock: Lock) -> Size:
    """Return the size of a lock, with what its stack states of the torch family."""
    try:
        stack = load_stack(lock.inputs.stack)
    except UsageError:  # a stack that this version does not know
        stack = None
    download = installed = unknown = 0
    family = False
    for package in lock.packages:
        size = locked_file(package).size
        if stack is not None and stack.in_family(str(package.name)) and stack.disk is not None:
            family = True
        elif size is None:
            unknown += 1
        else:
            download += size
            installed += size
    if family and stack is not None and stack.disk is not None:
        download += stack.disk.download
        installed += stack.disk.installed
    return Size(download=download, installed=installed, unknown=unknown)
