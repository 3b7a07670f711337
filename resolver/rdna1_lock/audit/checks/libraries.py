"""What the loader does with the libraries of the wheel: R01 and R09."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rdna1_lock.audit.registry import FILE, INSTALLED, facts, subject_check
from rdna1_lock.rules.finding import Finding, Place, make_finding
from rdna1_lock.rules.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from rdna1_lock.audit.observed import Observed
    from rdna1_lock.audit.subject import Package, TorchFiles
    from rdna1_lock.rules import Command, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaks:
    """Libraries that a system ROCm may replace, in which releases, and by which variables."""

    torch: SpecifierSet
    search: str
    preload: str
    libraries: tuple[str, ...]


EXECUTABLE_STACK = facts("R01", lambda entry: entry.texts("libraries"))
LEAKS = facts(
    "R09",
    lambda entry: Leaks(
        torch=entry.bound("torch"),
        search=entry.text("search"),
        preload=entry.text("preload"),
        libraries=entry.texts("libraries"),
    ),
)


@subject_check("R01", scopes=FILE)
def libc_of_file(observed: Observed) -> Iterator[Finding]:
    """Say which C library the wheels load on."""
    torch, bound = observed.subject.first("torch"), observed.bound("R01")
    if torch is not None and bound is not None:
        yield make_finding(
            observed.rules.by_id["R01"],
            severity=Severity.INFO,
            seen=f"{torch.text} loads only on systems with glibc {bound}",
            where=observed.subject.place(torch),
        )


@subject_check("R01", scopes=INSTALLED)
def executable_stack(observed: Observed) -> Iterator[Finding]:
    """Find libraries that ask for an executable stack where the C library refuses it."""
    subject, files = observed.subject, observed.subject.torch_files
    torch, libc = subject.first("torch"), _refusing_libc(observed)
    if torch is None or libc is None or (files is not None and _was_cleared(files)):
        return
    rule, asking = observed.rules.by_id["R01"], files.stack if files is not None else ()
    what = f"{', '.join(asking)} ask for an executable stack" if asking else torch.text
    yield make_finding(
        rule,
        seen=f"glibc {libc}, and {what}",
        where=subject.place(torch),
        commands=_mended(rule, torch, asking),
    )


def _refusing_libc(observed: Observed) -> str | None:
    """Return the version of the C library, if it is one with which the wheels do not load."""
    host, bound = observed.host, observed.bound("R01")
    libc = observed.subject.libc or (host.libc if host is not None else None)
    return None if bound is None or libc is None or bound.contains(libc) else libc


def _was_cleared(files: TorchFiles) -> bool:
    """Say whether the libraries could be read and none of them asks."""
    return bool(files.hip) and not files.stack and files.loader is not None


def _mended(rule: Rule, torch: Package, asking: tuple[str, ...]) -> tuple[Command, ...]:
    shell = rule.command("shell")
    if not asking:
        return (shell,)
    lib = Path(torch.place or "") / "torch" / "lib"
    return shell, rule.command("clear", libraries=tuple(str(lib / name) for name in asking))


@subject_check("R09", scopes=INSTALLED)
def searched(observed: Observed) -> Iterator[Finding]:
    """Find a system ROCm on the loader's search path, which goes before RUNPATH, not RPATH."""
    subject, known, rule = observed.subject, LEAKS.of(observed.rules), observed.rules.by_id["R09"]
    torch = subject.pinned("torch")
    if torch is None or subject.rocm is None:
        return
    loader = subject.torch_files.loader if subject.torch_files is not None else None
    gives_way = _gives_way(loader, torch[1], known)
    takes = "takes those instead of its own" if gives_way else "takes its own first"
    for place, names in _leaking(subject.variables.get(known.search, ""), known):
        yield make_finding(
            rule,
            severity=Severity.ERROR if gives_way else Severity.INFO,
            seen=f"{known.search} has {place} with {', '.join(names)}; by {loader or 'its release'},"
            f" {torch[0].text} {takes}",
            where=Place(variable=known.search),
            commands=(rule.command("unset", variables=(known.search,)),) if gives_way else (),
        )


def _gives_way(loader: str | None, torch: Version, known: Leaks) -> bool:
    """Say whether the wheel's own libraries give way to the search path; else by its release."""
    if loader is not None:
        return loader == "RUNPATH"
    return known.torch.contains(torch, prereleases=True)


def _leaking(path: str, known: Leaks) -> Iterator[tuple[str, list[str]]]:
    for place in filter(None, path.split(":")):
        links = [f"{name}.so" for name in known.libraries]
        names = [name for name in links if (Path(place) / name).exists()]
        if names:
            yield place, names


@subject_check("R09", scopes=INSTALLED)
def preloaded(observed: Observed) -> Iterator[Finding]:
    """Find libraries of a system ROCm that are loaded before the wheel's own."""
    subject, known, rule = observed.subject, LEAKS.of(observed.rules), observed.rules.by_id["R09"]
    if subject.pinned("torch") is None or subject.rocm is None:
        return
    links = tuple(f"{name}.so" for name in known.libraries)
    for library in subject.variables.get(known.preload, "").replace(":", " ").split():
        if Path(library).name.startswith(links):
            yield make_finding(
                rule,
                seen=f"{known.preload} loads {library} before the wheel's own",
                where=Place(variable=known.preload),
                commands=(rule.command("unset", variables=(known.preload,)),),
            )
