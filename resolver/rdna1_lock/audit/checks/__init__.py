"""The checks, by what they look at. Importing this package registers them all."""

from rdna1_lock.audit.checks import (
    builds,
    files,
    libraries,
    locked,
    machine,
    releases,
    running,
    variables,
)

__all__ = [
    "builds",
    "files",
    "libraries",
    "locked",
    "machine",
    "releases",
    "running",
    "variables",
]
