"""What differs from a lock: R26."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdna1_lock.audit.registry import BOTH, INSTALLED, subject_check
from rdna1_lock.rules.finding import Finding, make_finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdna1_lock.audit.observed import Against, Observed


@subject_check("R26", scopes=BOTH)
def packages(observed: Observed) -> Iterator[Finding]:
    """Find packages that are missing or of another version."""
    if (against := observed.against) is None:
        return
    present = {str(package.name): package for package in observed.subject.packages}
    for locked in against.lock.packages:
        found = present.get(str(locked.name))
        if found is None:
            yield _differs(observed, against, f"{locked.name} {locked.version} is missing")
        elif found.version != locked.version:
            version = found.version or found.raw_version
            seen = f"{locked.name} is {version}, locked is {locked.version}"
            yield _differs(observed, against, seen)


@subject_check("R26", scopes=INSTALLED)
def more_packages(observed: Observed) -> Iterator[Finding]:
    """Find packages that are not locked."""
    if (against := observed.against) is None:
        return
    locked = {str(package.name) for package in against.lock.packages}
    for package in observed.subject.packages:
        if package.name not in locked:
            seen = f"{package.name} {package.raw_version} is not locked"
            yield _differs(observed, against, seen)


@subject_check("R26", scopes=INSTALLED)
def variables(observed: Observed) -> Iterator[Finding]:
    """Find variables that are not as locked, neither now nor after activation."""
    subject = observed.subject
    if (against := observed.against) is None:
        return
    for name, value in sorted(against.lock.env.items()):
        now = subject.variables.get(name, subject.activation.get(name))
        if now != value:
            yield _differs(observed, against, f"{name} is {now or 'not set'}, locked is {value}")


@subject_check("R26", scopes=INSTALLED)
def files(observed: Observed) -> Iterator[Finding]:
    """Find files that differ from the locked wheels."""
    if (against := observed.against) is None:
        return
    for item in against.files:
        yield _differs(observed, against, f"{item.package}: {item.what} is {item.kind}")


def _differs(observed: Observed, against: Against, seen: str) -> Finding:
    rule = observed.rules.by_id["R26"]
    return make_finding(
        rule,
        seen=seen,
        where=observed.subject.place(),
        commands=(rule.command("sync", lock=against.name),),
    )
