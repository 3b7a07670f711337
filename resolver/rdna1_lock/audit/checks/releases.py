"""Which releases go with this torch: Python (R04), numpy (R05), and R11, R12, R13, R19, R22."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.version import Version

from rdna1_lock.audit.commands import install, uninstall
from rdna1_lock.audit.registry import BOTH, FILE, INSTALLED, facts, subject_check
from rdna1_lock.rules.finding import Finding, make_finding
from rdna1_lock.rules.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.specifiers import SpecifierSet

    from rdna1_lock.audit.observed import Observed
    from rdna1_lock.audit.subject import Package
    from rdna1_lock.rules import Command

# Wide enough that a file for a Python which is not released yet is not taken for one without bound.
PYTHONS = [f"3.{minor}" for minor in range(7, 20)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Triton:
    """The projects, the torch that uses them, and parts of the URLs of ROCm indexes."""

    projects: tuple[str, ...]
    torch: SpecifierSet
    indexes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pillow:
    """What a release of torchvision asks of Pillow."""

    torchvision: SpecifierSet
    pillow: SpecifierSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Setuptools:
    """The setuptools with which extensions for some releases of torch build."""

    torch: SpecifierSet
    setuptools: SpecifierSet
    install: str


NUMPY_2 = facts("R05", lambda entry: entry.text("excluded"))
TRITON = facts(
    "R11",
    lambda entry: Triton(
        projects=entry.texts("projects"),
        torch=entry.bound("torch"),
        indexes=entry.texts("indexes"),
    ),
)
PILLOW = facts(
    "R12",
    lambda entry: Pillow(torchvision=entry.bound("torchvision"), pillow=entry.bound("pillow")),
)
SETUPTOOLS = facts(
    "R13",
    lambda entry: Setuptools(
        torch=entry.bound("torch"),
        setuptools=entry.bound("setuptools"),
        install=entry.text("install"),
    ),
)
OLD_TORCH = facts("R22", lambda entry: entry.bound("torch"))


@subject_check("R04", scopes=INSTALLED)
def python_of_environment(observed: Observed) -> Iterator[Finding]:
    """Find an interpreter for which this torch was not built."""
    python, built = observed.subject.python, _pythons(observed)
    if python is None or not built or f"{python.major}.{python.minor}" in built:
        return
    yield _wrong_python(observed, f"Python {python.major}.{python.minor}", built)


@subject_check("R04", scopes=FILE)
def python_of_file(observed: Observed) -> Iterator[Finding]:
    """Find a file for Pythons for none of which this torch was built."""
    bound, built = observed.subject.requires_python, _pythons(observed)
    if bound is None or not built:
        return
    allowed = {series for series in PYTHONS if bound.contains(f"{series}.99")}
    if allowed and not allowed & set(built):
        yield _wrong_python(observed, f"the file is for Python {bound}", built)


def _pythons(observed: Observed) -> list[str]:
    """Return the Pythons that this torch was built for; empty if that is not known."""
    if (found := observed.subject.pinned("torch")) is None:
        return []
    torch, version = found
    series = {
        series
        for build in observed.rules.builds
        if build.torch == version.public and torch.rocm in {None, Version(build.rocm)}
        for series in build.python
    }
    return sorted(series, key=Version)


def _wrong_python(observed: Observed, what: str, built: list[str]) -> Finding:
    rule, subject = observed.rules.by_id["R04"], observed.subject
    python, torch = observed.stack.default_python, subject.first("torch")
    return make_finding(
        rule,
        seen=f"{what}, and {torch.text if torch else 'torch'} was built for {', '.join(built)}",
        where=subject.place(),
        commands=(
            rule.command("environment", python=python),
            rule.command("lock", python=python),
        ),
    )


@subject_check("R05", scopes=BOTH)
def numpy_2(observed: Observed) -> Iterator[Finding]:
    """Find numpy 2, or a requirement that allows it, with a torch compiled against numpy 1."""
    subject, rule = observed.subject, observed.rules.by_id["R05"]
    torch, bound = subject.first("torch"), observed.bound("R05")
    if torch is None or bound is None:
        return
    excluded = NUMPY_2.of(observed.rules)
    for numpy in subject.all_of("numpy"):
        if numpy.version is not None and not bound.contains(numpy.version, prereleases=True):
            yield make_finding(
                rule,
                seen=f"{numpy.text} with {torch.text}",
                where=subject.place(numpy),
                commands=install(observed, [f"numpy{bound}"]),
            )
        elif numpy.version is None and numpy.specifier.contains(excluded):
            yield make_finding(
                rule,
                severity=Severity.WARNING,
                seen=f"{numpy.text} allows numpy 2 with {torch.text}",
                where=subject.place(numpy),
            )


@subject_check("R11", scopes=BOTH)
def triton(observed: Observed) -> Iterator[Finding]:
    """Find a Triton that this torch does not use, or not in this version."""
    subject, known = observed.subject, TRITON.of(observed.rules)
    if (found := subject.pinned("torch")) is None:
        return
    for name in known.projects:
        package = subject.first(name)
        if package is None:
            continue
        commands: tuple[Command, ...] = ()
        if not known.torch.contains(found[1], prereleases=True):
            seen: str | None = f"{package.text} is not used by {found[0].text}"
            commands = uninstall(observed, [name])
        else:
            seen = _wrong_triton(observed, package, found[1], known)
        if seen is not None:
            yield make_finding(
                observed.rules.by_id["R11"],
                seen=seen,
                where=subject.place(package),
                commands=commands,
            )


def _wrong_triton(
    observed: Observed, package: Package, torch: Version, known: Triton
) -> str | None:
    source = package.source
    if source is not None and not any(part in source for part in known.indexes):
        return f"{package.text} comes from {source.rpartition('@')[2]}, not from the ROCm index"
    wanted = {
        build.triton.split()[1]
        for build in observed.rules.builds
        if build.torch == torch.public and build.triton
    }
    if wanted and package.version is not None and package.version.public not in wanted:
        return f"{package.text} with torch {torch}, which requires {', '.join(sorted(wanted))}"
    return None


@subject_check("R12", scopes=BOTH)
def pillow(observed: Observed) -> Iterator[Finding]:
    """Find a Pillow that torchvision excludes, or an upper bound that it does not need."""
    subject, known, rule = (
        observed.subject,
        PILLOW.of(observed.rules),
        observed.rules.by_id["R12"],
    )
    package, vision = subject.first("pillow"), subject.pinned("torchvision")
    if package is None or vision is None or not known.torchvision.contains(vision[1].public):
        return
    release = f"torchvision {vision[1].public}"
    if package.version is not None and not known.pillow.contains(package.version, prereleases=True):
        yield make_finding(
            rule,
            severity=Severity.ERROR,
            seen=f"{package.text}, which {release} excludes ({known.pillow})",
            where=subject.place(package),
            remedy="Install a newer Pillow: no release is too new.",
            commands=install(observed, [f"pillow{known.pillow}", "--upgrade"]),
        )
    elif package.version is None and any(s.operator.startswith("<") for s in package.specifier):
        yield make_finding(
            rule,
            seen=f"{package.text} bounds Pillow from above, which {release} does not need",
            where=subject.place(package),
        )


@subject_check("R13", scopes=BOTH)
def setuptools(observed: Observed) -> Iterator[Finding]:
    """Find a setuptools with which extensions for this torch do not build."""
    subject, known = observed.subject, SETUPTOOLS.of(observed.rules)
    torch, tools = subject.pinned("torch"), subject.pinned("setuptools")
    if torch is None or tools is None or not known.torch.contains(torch[1], prereleases=True):
        return
    if not known.setuptools.contains(tools[1], prereleases=True):
        yield make_finding(
            observed.rules.by_id["R13"],
            seen=f"{tools[0].text}, with which extensions for {torch[0].text} do not build",
            where=subject.place(tools[0]),
            commands=install(observed, [known.install]),
        )


@subject_check("R19", scopes=INSTALLED)
def forks(observed: Observed) -> Iterator[Finding]:
    """Say which worker processes may fork."""
    subject = observed.subject
    if (torch := subject.pinned("torch")) is not None and subject.is_rocm(torch[0]):
        yield make_finding(
            observed.rules.by_id["R19"],
            seen="worker processes that use the GPU must be spawned; others may fork",
            where=subject.place(torch[0]),
        )


@subject_check("R22", scopes=BOTH)
def age(observed: Observed) -> Iterator[Finding]:
    """Say that this torch gets no security fixes."""
    subject = observed.subject
    torch = subject.pinned("torch")
    if torch is not None and OLD_TORCH.of(observed.rules).contains(torch[1], prereleases=True):
        yield make_finding(
            observed.rules.by_id["R22"], seen=torch[0].text, where=subject.place(torch[0])
        )
