"""What lies on disk: files (R23), dependencies (R24), copies (R25)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import Version

from rdna1_lock.audit.commands import install, uninstall
from rdna1_lock.audit.registry import INSTALLED, facts, subject_check
from rdna1_lock.model import OLDEST_GLIBC_MINOR, Target
from rdna1_lock.pep508 import read_pep508
from rdna1_lock.rules.finding import Finding, Place, make_finding
from rdna1_lock.rules.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.requirements import Requirement

    from rdna1_lock.audit.observed import Observed
    from rdna1_lock.audit.subject import Package, Subject

SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Projects that are held against RECORD at every audit, and tools that keep RECORD true."""

    watched: tuple[str, ...]
    installers: tuple[str, ...]


RECORDS = facts(
    "R23",
    lambda entry: Records(watched=entry.texts("watched"), installers=entry.texts("installers")),
)


@subject_check("R25", scopes=INSTALLED)
def copies(observed: Observed) -> Iterator[Finding]:
    """Find two metadata folders of one project in one site-packages, or an empty one."""
    seen: dict[tuple[str, str | None], list[str]] = {}
    for package in observed.subject.packages:
        seen.setdefault((str(package.name), package.place), []).append(
            package.raw_version or "without metadata"
        )
    for (name, place), versions in sorted(seen.items(), key=lambda item: item[0][0]):
        if len(versions) > 1 or versions == ["without metadata"]:
            same = len(versions) > 1 and len(set(versions)) == 1
            yield make_finding(
                observed.rules.by_id["R25"],
                severity=Severity.WARNING if same else None,
                seen=f"{name}: {' and '.join(versions)}",
                where=Place(path=place, package=name),
                commands=(*uninstall(observed, [name]), *install(observed, [name])),
            )


@subject_check("R23", scopes=INSTALLED)
def changed(observed: Observed) -> Iterator[Finding]:
    """Find files that are not as RECORD says."""
    subject, known = observed.subject, RECORDS.of(observed.rules)
    for name, files in sorted(subject.changed.items()):
        package = subject.first(name)
        if package is None:
            continue
        # A distribution strips libraries and leaves the RECORD of the build as it was.
        own = (package.installer or "").split(" ")[0] in known.installers
        pinned = f"{name}=={package.version}" if package.version else name
        again = own and name not in observed.rules.family
        yield make_finding(
            observed.rules.by_id["R23"],
            severity=None if own else Severity.INFO,
            seen=f"{name}: {_listed(files)}" + ("" if own else " (a package of the system)"),
            where=Place(path=package.place, package=name),
            commands=install(observed, ["--no-deps", pinned], reinstall=True) if again else (),
        )


def _listed(files: tuple[tuple[str, str], ...]) -> str:
    listed = [f"{path} {what}" for path, what in files[:SHOWN]]
    if len(files) > SHOWN:
        listed.append(f"and {len(files) - SHOWN} more")
    return "; ".join(listed)


@subject_check("R24", scopes=INSTALLED)
def dependencies(observed: Observed) -> Iterator[Finding]:
    """Find what `pip check` finds: dependencies that are missing or excluded."""
    subject = observed.subject
    for package in subject.packages:
        if package.name in observed.rules.family and not subject.is_rocm(package):
            continue  # R03 replaces it, so what it needs does not matter
        for needed in _needed(package, subject):
            name = canonicalize_name(needed.name)
            if (trouble := _trouble(needed, subject.first(name))) is None:
                continue
            bare = f"{needed.name}{needed.specifier}"
            mend = () if name in observed.rules.family else install(observed, [bare])
            yield make_finding(
                observed.rules.by_id["R24"],
                seen=f"{package.name} {package.version} needs {trouble}",
                where=Place(path=package.place, package=str(package.name)),
                commands=mend,
            )


def _needed(package: Package, subject: Subject) -> Iterator[Requirement]:
    """Yield the dependencies that apply to the audited interpreter, without any extra."""
    target = Target(python=subject.python or Version("3.10"), glibc_minor=OLDEST_GLIBC_MINOR)
    environment = {**target.marker_environment, "extra": ""}
    for text in package.requires:
        try:
            needed = read_pep508(text)
        except ValueError:
            continue
        if needed.marker is None or needed.marker.evaluate(environment):
            yield needed


def _trouble(needed: Requirement, found: Package | None) -> str | None:
    if found is None:
        return f"{needed.name}, which is missing"
    if found.version is None or needed.specifier.contains(found.version, prereleases=True):
        return None
    return f"{needed.name}{needed.specifier}, but {found.version} is installed"
