"""The rules on what lies on disk: libraries, files, copies, dependencies, and the lock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from rdna1_lock.audit.commands import install, uninstall
from rdna1_lock.audit.family import bound_of, is_rocm, where
from rdna1_lock.audit.subject import FAMILY
from rdna1_lock.model import OLDEST_GLIBC_MINOR, Target
from rdna1_lock.rules.finding import Finding, make_finding
from rdna1_lock.rules.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdna1_lock.audit.subject import Package, Subject
    from rdna1_lock.host.system import Host
    from rdna1_lock.lock.model import Lock
    from rdna1_lock.rules import RuleSet

# Distributions strip libraries and leave the RECORD of the build as it was.
KEEP_RECORD = {"pip", "uv", "poetry", "pdm", "pipenv", "rdna1-lock"}
SHOWN = 8


def check_installed(subject: Subject, rules: RuleSet, host: Host | None) -> Iterator[Finding]:
    """Yield what is wrong with the files and metadata of an environment."""
    yield from _stack(subject, rules, host)
    if not subject.installed:
        return
    yield from _copies(subject, rules)
    yield from _changed(subject, rules)
    yield from _dependencies(subject, rules)


def _stack(subject: Subject, rules: RuleSet, host: Host | None) -> Iterator[Finding]:
    """R01: libraries that ask for an executable stack, and a C library that refuses it."""
    torch, bound = subject.first("torch"), bound_of(subject, rules, "R01")
    if torch is None or bound is None:
        return
    rule, files = rules.by_id["R01"], subject.torch_files
    if not subject.installed:
        yield make_finding(
            rule,
            severity=Severity.INFO,
            seen=f"{torch.text} loads only on systems with glibc {bound}",
            where=where(subject, torch),
        )
        return
    libc = subject.libc or (host.libc if host is not None else None)
    if libc is None or bound.contains(libc):
        return
    if files is not None and files.hip and not files.stack and files.loader is not None:
        return  # the marks were cleared: the libraries were read, and none asks
    asks = (
        f"{', '.join(files.stack)} ask for an executable stack"
        if files and files.stack
        else f"torch {torch.version}"
    )
    lib = Path(torch.place or "") / "torch" / "lib"
    cleared = " ".join(str(lib / name) for name in (files.stack if files else ()))
    commands = [("nix", "nix develop ./locks/rocm5.2-cp310")]
    if cleared:
        commands.append(("shell", f"patchelf --clear-execstack {cleared}"))
    yield make_finding(
        rule,
        seen=f"glibc {libc}, and {asks}",
        where=where(subject, torch),
        commands=tuple(commands),
    )


def _copies(subject: Subject, rules: RuleSet) -> Iterator[Finding]:
    """R25: two metadata folders of one project in one site-packages, or one without metadata."""
    seen: dict[tuple[str, str | None], list[str]] = {}
    for package in subject.packages:
        seen.setdefault((str(package.name), package.place), []).append(
            package.raw_version or "without metadata"
        )
    for (name, place), versions in sorted(seen.items(), key=lambda item: item[0][0]):
        if len(versions) > 1 or versions == ["without metadata"]:
            same = len(versions) > 1 and len(set(versions)) == 1
            yield make_finding(
                rules.by_id["R25"],
                severity=Severity.WARNING if same else None,
                seen=f"{name}: {' and '.join(versions)}",
                where=str(place),
                commands=(*uninstall(subject, [name]), *install(subject, [name])),
            )


def _changed(subject: Subject, rules: RuleSet) -> Iterator[Finding]:
    for name, files in sorted(subject.changed.items()):
        listed = [f"{path} {what}" for path, what in files[:SHOWN]]
        if len(files) > SHOWN:
            listed.append(f"and {len(files) - SHOWN} more")
        package = subject.first(name)
        version = f"{name}=={package.version}" if package and package.version else name
        family = name in FAMILY
        own = package is not None and (package.installer or "").split(" ")[0] in KEEP_RECORD
        options = ["--no-deps", version]
        yield make_finding(
            rules.by_id["R23"],
            severity=None if own else Severity.INFO,
            seen=f"{name}: {'; '.join(listed)}" + ("" if own else " (a package of the system)"),
            where=str(package.place) if package else subject.label,
            commands=() if family or not own else install(subject, options, reinstall=True),
        )


def _dependencies(subject: Subject, rules: RuleSet) -> Iterator[Finding]:
    """R24: what `pip check` sees as well."""
    present: dict[str, Package] = {}
    for package in subject.packages:
        present.setdefault(str(package.name), package)
    environment = _markers(subject)
    for package in subject.packages:
        if package.name in FAMILY and not is_rocm(subject, package):
            continue  # R03 replaces it, so what it needs does not matter
        for text in package.requires:
            try:
                needed = Requirement(text)
            except InvalidRequirement:
                continue
            if needed.marker is not None and not needed.marker.evaluate(environment):
                continue
            name = canonicalize_name(needed.name)
            found = present.get(name)
            if found is None:
                seen = f"{package.name} {package.version} needs {needed.name}, which is missing"
            elif found.version is not None and not needed.specifier.contains(
                found.version, prereleases=True
            ):
                seen = f"{package.name} {package.version} needs {needed.name}{needed.specifier}, and {found.version} is there"
            else:
                continue
            bare = f"{needed.name}{needed.specifier}"
            family = name in FAMILY
            yield make_finding(
                rules.by_id["R24"],
                seen=seen,
                where=str(package.place),
                commands=() if family else install(subject, [bare]),
            )


def _markers(subject: Subject) -> dict[str, str]:
    """Return the marker variables of the audited interpreter, no extra chosen."""
    target = Target(python=subject.python or Version("3.10"), glibc_minor=OLDEST_GLIBC_MINOR)
    return {**target.marker_environment, "extra": ""}


def check_against(subject: Subject, rules: RuleSet, lock: Lock, label: str) -> Iterator[Finding]:
    """Yield R26 for what differs from a lock: packages, versions, variables."""
    locked = {str(package.name): package.version for package in lock.packages}
    present = {str(package.name): package for package in subject.packages}
    differ = [
        f"{name} {version} is missing" for name, version in locked.items() if name not in present
    ]
    for name, package in sorted(present.items()):
        if name not in locked:
            if subject.installed:
                differ.append(f"{name} {package.raw_version} is not locked")
        elif package.version != locked[name]:
            differ.append(
                f"{name} is {package.version or package.raw_version}, locked is {locked[name]}"
            )
    for name, value in sorted(lock.env.items()):
        now = subject.variables.get(name, subject.activation.get(name))
        if subject.installed and now != value:
            differ.append(f"{name} is {now or 'not set'}, locked is {value}")
    for text in differ:
        yield make_finding(
            rules.by_id["R26"],
            seen=text,
            where=subject.label,
            commands=(("rdna1-lock", f"rdna1-lock sync {label} --venv DIR"),),
        )
