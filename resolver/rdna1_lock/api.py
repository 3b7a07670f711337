"""What programs may import from rdna1-lock.

**Provisional**: names and shapes may still change, as long as the version begins with 0.

    from pathlib import Path
    from rdna1_lock import api

    done = api.resolve(api.ResolveRequest(requirements=("torch", "diffusers")), api.Context())
    for package in done.lock.packages:
        print(package.name, package.version)

Nothing here prints, exits, or keeps state of its own. Failures are ``api.Error`` with a code of
docs/errors.md. Importing this module imports nothing else; each name is loaded when it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rdna1_lock.audit.report import Report
    from rdna1_lock.errors import Error
    from rdna1_lock.lock.model import Lock
    from rdna1_lock.lock.read import read_lock
    from rdna1_lock.tasks.audit import AuditRequest, audit
    from rdna1_lock.tasks.context import Context, Listener, Silent
    from rdna1_lock.tasks.request import ResolveRequest
    from rdna1_lock.tasks.resolve import Resolved, resolve, write
    from rdna1_lock.tasks.verify import VerifyRequest, verify

# Where each public name lives.
_HOMES = {
    "AuditRequest": "tasks.audit",
    "Context": "tasks.context",
    "Error": "errors",
    "Listener": "tasks.context",
    "Lock": "lock.model",
    "Report": "audit.report",
    "ResolveRequest": "tasks.request",
    "Resolved": "tasks.resolve",
    "Silent": "tasks.context",
    "VerifyRequest": "tasks.verify",
    "audit": "tasks.audit",
    "read_lock": "lock.read",
    "resolve": "tasks.resolve",
    "verify": "tasks.verify",
    "write": "tasks.resolve",
}

__all__ = [
    "AuditRequest",
    "Context",
    "Error",
    "Listener",
    "Lock",
    "Report",
    "ResolveRequest",
    "Resolved",
    "Silent",
    "VerifyRequest",
    "audit",
    "read_lock",
    "resolve",
    "verify",
    "write",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is used first (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"rdna1_lock.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
