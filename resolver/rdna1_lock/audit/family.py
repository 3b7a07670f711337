"""The rules on torch and what belongs to it: builds, pairs, Python, numpy. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from rdna1_lock.audit.commands import install, install_stack, uninstall
from rdna1_lock.audit.subject import FAMILY
from rdna1_lock.host.gpus import RDNA1
from rdna1_lock.rules import NATIVE_FROM
from rdna1_lock.rules.finding import Finding, make_finding
from rdna1_lock.rules.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rdna1_lock.audit.subject import Package, Subject
    from rdna1_lock.rules import Known, RuleSet, Stack

ALL_PYTHONS = [Version(f"3.{minor}") for minor in range(7, 20)]
PILLOW = SpecifierSet(">=5.3.0,!=8.3.*")


def check_family(
    subject: Subject, rules: RuleSet, stack: Stack, known: Sequence[Known]
) -> Iterator[Finding]:
    """Yield what is wrong with the torch family; nothing where there is no torch."""
    yield from _extra_indexes(subject, rules, stack)
    if not any(subject.first(name) for name in FAMILY):
        return
    for check in (_flavour, _labels, _pairs, _series, _triton, _python, _numpy, _pillow):
        yield from check(subject, rules, stack)
    yield from _known(subject, rules, known)
    yield from _advice(subject, rules)


def bound_of(subject: Subject, rules: RuleSet, rule: str) -> SpecifierSet | None:
    """Return what a rule asks for beside this torch, as ``resolve`` would; None if nothing."""
    torch, rocm = subject.first("torch"), subject.rocm
    if torch is None or torch.version is None:
        return None
    version = torch.version
    if torch.rocm is None and rocm is not None:
        version = Version(f"{version.public}+rocm{rocm}")
    for _, specifier, found in rules.dependencies(torch.name, version):
        if found == rule:
            return specifier
    return None


def where(subject: Subject, package: Package | None = None) -> str:
    """Name the place: file and line, or the environment."""
    if package is not None and package.line is not None:
        return f"{subject.label}:{package.line}"
    return subject.label


def is_rocm(subject: Subject, package: Package) -> bool:
    """Say whether a member of the family is built for ROCm, by its label or torch's own files."""
    files = subject.torch_files
    if package.name == "torch" and files is not None and (files.hip or files.cuda):
        return bool(files.hip)  # its own word goes before its label
    return package.rocm is not None


def _flavour(subject: Subject, rules: RuleSet, stack: Stack) -> Iterator[Finding]:
    """R03: a build for another kind of hardware, or one that is left to chance."""
    for name in FAMILY:
        for package in subject.all_of(name):
            if package.version is None:
                if not subject.installed:
                    yield make_finding(
                        rules.by_id["R03"],
                        seen=f"{package.text} fixes no build: the default index gives the one for CUDA",
                        where=where(subject, package),
                        commands=install_stack(subject, stack),
                    )
            elif not is_rocm(subject, package):
                yield make_finding(
                    rules.by_id["R03"],
                    seen=f"{package.text} is {_kind(subject, package)}",
                    where=where(subject, package),
                    commands=install_stack(subject, stack),
                )
            elif not package.hashed and not subject.installed:
                yield make_finding(
                    rules.by_id["R03"],
                    severity=Severity.INFO,
                    seen=f"{package.text} has no hash",
                    where=where(subject, package),
                    commands=(("rdna1-lock", f"rdna1-lock resolve -r {subject.label}"),),
                )


def _kind(subject: Subject, package: Package) -> str:
    files = subject.torch_files
    cuda = files.cuda if files is not None and package.name == "torch" else None
    label = package.version.local if package.version is not None else None
    if cuda or (label or "").startswith("cu"):
        return f"a build for CUDA ({cuda or label}), which sees no AMD card"
    if label == "cpu":
        return "a build for the processor only"
    if package.source == "conda":
        return "conda's own build, which is for CUDA or the processor"
    return f"no ROCm build ({label or 'no local label: the default index has CUDA builds'})"


def _extra_indexes(subject: Subject, rules: RuleSet, stack: Stack) -> Iterator[Finding]:
    for url, line in subject.extra_indexes:
        shown = url.rpartition("@")[2]
        yield make_finding(
            rules.by_id["R03"],
            severity=Severity.WARNING,
            seen=f"--extra-index-url {shown}: of every name, whichever index has the higher version wins",
            where=f"{subject.label}:{line}" if line else subject.label,
            remedy="Name the ROCm wheels by URL and hash, as `rdna1-lock resolve` writes them.",
            commands=install_stack(subject, stack) if not subject.installed else (),
        )


def _labels(subject: Subject, rules: RuleSet, stack: Stack) -> Iterator[Finding]:
    """R02: members of different builds side by side, by label or by what they are linked with."""
    present = [p for name in FAMILY if (p := subject.first(name)) and p.version is not None]
    labels = {p.name: p.version.local or "no label" for p in present if p.version is not None}
    if len(set(labels.values())) > 1:
        listed = ", ".join(f"{name} ({label})" for name, label in labels.items())
        yield make_finding(
            rules.by_id["R02"],
            seen=f"different builds side by side: {listed}",
            where=where(subject, present[1]),
            commands=install_stack(subject, stack),
        )
        return
    files = subject.torch_files
    if files is None or not files.hip:
        return
    cuda = [name for name in files.vision_needs if "cuda" in name or "cudart" in name]
    if cuda:
        yield make_finding(
            rules.by_id["R02"],
            seen=f"torchvision's extension is linked with {', '.join(cuda[:3])}, and torch is for ROCm",
            where=where(subject, subject.first("torchvision")),
            commands=install_stack(subject, stack),
        )


def _pairs(subject: Subject, rules: RuleSet, stack: Stack) -> Iterator[Finding]:
    """R02: releases that do not belong together."""
    torch = subject.first("torch")
    if torch is None or torch.version is None:
        return
    for name in FAMILY[1:]:
        package = subject.first(name)
        if package is None or package.version is None:
            continue
        partners = {
            build.release(name) for build in rules.builds if build.torch == torch.version.public
        } - {None}
        if partners and package.version.public not in partners:
            right = " or ".join(sorted(str(partner) for partner in partners))
            yield make_finding(
                rules.by_id["R02"],
                seen=f"{package.text} beside torch {torch.version}, whose partner is {name} {right}",
                where=where(subject, package),
                commands=install_stack(subject, stack),
            )


def _series(subject: Subject, rules: RuleSet, stack: Stack) -> Iterator[Finding]:
    """R07: ROCm 5.3 and newer without code for these cards."""
    rocm = subject.rocm
    if rocm is None or bound_of(subject, rules, "R07") is None:
        return
    files = subject.torch_files
    if files is not None and RDNA1 & files.gfx:
        return  # a build of somebody's own, with native code
    torch = subject.first("torch")
    yield make_finding(
        rules.by_id["R07"],
        seen=f"{torch.text if torch else 'torch'} is for ROCm {rocm}",
        where=where(subject, torch),
        commands=install_stack(subject, stack),
    )


def _triton(subject: Subject, rules: RuleSet, stack: Stack) -> Iterator[Finding]:
    """R11: a Triton that this torch does not use, or not in this version."""
    del stack
    torch = subject.first("torch")
    for name in ("pytorch-triton-rocm", "triton-rocm"):
        package = subject.first(name)
        if package is None or torch is None or torch.version is None:
            continue
        wanted = {
            build.triton.split()[1]
            for build in rules.builds
            if build.torch == torch.version.public and build.triton
        }
        if torch.version < Version("2"):
            seen = f"{package.text} is not used by torch {torch.version}"
            commands = uninstall(subject, [name])
        elif package.source is not None and not _is_rocm_source(package.source):
            seen = f"{package.text} comes from {package.source.rpartition('@')[2]}, not from the ROCm index"
            commands = ()
        elif wanted and package.version is not None and package.version.public not in wanted:
            seen = f"{package.text} beside torch {torch.version}, which wants {', '.join(sorted(wanted))}"
            commands = ()
        else:
            continue
        yield make_finding(
            rules.by_id["R11"], seen=seen, where=where(subject, package), commands=commands
        )


def _is_rocm_source(url: str) -> bool:
    return "pytorch.org" in url or "amd.com" in url or "rocm" in url


def _python(subject: Subject, rules: RuleSet, stack: Stack) -> Iterator[Finding]:
    """R04: a Python for which there is no build of this torch."""
    torch = subject.first("torch")
    if torch is None or torch.version is None:
        return
    built = {
        series
        for build in rules.builds
        if build.torch == torch.version.public
        and (torch.rocm is None or build.rocm == str(torch.rocm))
        for series in build.python
    }
    if not built:
        return
    listed = ", ".join(sorted(built, key=Version))
    series = stack.default_python
    commands = (
        ("uv", f"uv venv --python {series} env"),
        ("rdna1-lock", f"rdna1-lock resolve --python-version {series}"),
    )
    if subject.python is not None:
        own = f"{subject.python.major}.{subject.python.minor}"
        if own not in built:
            yield make_finding(
                rules.by_id["R04"],
                seen=f"Python {own}, and torch {torch.version} was built for {listed}",
                where=where(subject),
                commands=commands,
            )
    elif subject.requires_python is not None:
        allowed = [str(v) for v in ALL_PYTHONS if subject.requires_python.contains(f"{v}.99")]
        if allowed and not set(allowed) & built:
            yield make_finding(
                rules.by_id["R04"],
                seen=f"the file is for Python {subject.requires_python}, and torch {torch.version} was built for {listed}",
                where=where(subject),
                commands=commands,
            )


def _numpy(subject: Subject, rules: RuleSet, stack: Stack) -> Iterator[Finding]:
    """R05: numpy 2 beside a torch that was compiled against numpy 1."""
    del stack
    torch, bound = subject.first("torch"), bound_of(subject, rules, "R05")
    if torch is None or bound is None:
        return
    for numpy in subject.all_of("numpy"):
        if numpy.version is not None and not bound.contains(numpy.version, prereleases=True):
            yield make_finding(
                rules.by_id["R05"],
                seen=f"numpy {numpy.version} beside torch {torch.version}",
                where=where(subject, numpy),
                commands=install(subject, [f"numpy{bound}"]),
            )
        elif numpy.version is None and numpy.specifier.contains("2.2.6"):
            yield make_finding(
                rules.by_id["R05"],
                severity=Severity.WARNING,
                seen=f"{numpy.text} allows numpy 2 beside torch {torch.version}",
                where=where(subject, numpy),
            )


def _pillow(subject: Subject, rules: RuleSet, stack: Stack) -> Iterator[Finding]:
    """R12: a Pillow that torchvision excludes, or a bound that nothing asks for."""
    del stack
    pillow, vision = subject.first("pillow"), subject.first("torchvision")
    if pillow is None or vision is None or vision.version is None:
        return
    if vision.version.public != "0.14.1":
        return
    if pillow.version is not None and not PILLOW.contains(pillow.version, prereleases=True):
        yield make_finding(
            rules.by_id["R12"],
            severity=Severity.ERROR,
            seen=f"pillow {pillow.version}, which torchvision 0.14.1 excludes ({PILLOW})",
            where=where(subject, pillow),
            remedy="Take a newer Pillow: none is too new.",
            commands=install(subject, [f"pillow{PILLOW}", "--upgrade"]),
        )
    elif pillow.version is None and any(s.operator.startswith("<") for s in pillow.specifier):
        yield make_finding(
            rules.by_id["R12"],
            seen=f"{pillow.text} bounds Pillow from above, which torchvision 0.14.1 does not need",
            where=where(subject, pillow),
        )


def _known(subject: Subject, rules: RuleSet, known: Sequence[Known]) -> Iterator[Finding]:
    """Tell what was seen to happen on RDNA1 cards with this very torch."""
    torch, rocm = subject.first("torch"), subject.rocm
    if torch is None or torch.version is None or rocm is None:
        return
    if bound_of(subject, rules, "R07") is None and rocm < NATIVE_FROM:
        return  # what failed with the default stack has rules of its own
    public = torch.version.public
    for entry in known:
        if entry.works or not entry.torch.contains(public, prereleases=True):
            continue
        if not entry.rocm.contains(rocm, prereleases=True):
            continue
        yield make_finding(
            rules.by_id["R07"],
            severity=Severity.INFO,
            seen=f"reported on {', '.join(entry.gpus)} with torch {torch.version}: {entry.what} ({entry.source})",
            where=where(subject, torch),
        )


def _advice(subject: Subject, rules: RuleSet) -> Iterator[Finding]:
    """R13, R19, R22: what is worth knowing where this torch is in use."""
    torch = subject.first("torch")
    if torch is None or torch.version is None:
        return
    tools = subject.first("setuptools")
    tools_version = tools.version if tools is not None else None
    unfit = tools_version == Version("70.0.0") or (tools_version or Version("0")) >= Version("82")
    if torch.version < Version("2") and unfit:
        yield make_finding(
            rules.by_id["R13"],
            seen=f"setuptools {tools_version}, with which extensions for torch {torch.version} do not build",
            where=where(subject, tools),
            commands=install(subject, ["setuptools<70"]),
        )
    if subject.installed and is_rocm(subject, torch):
        yield make_finding(
            rules.by_id["R19"],
            seen="worker processes that use the GPU must be spawned; others may fork",
            where=where(subject, torch),
        )
    if torch.version < Version("2.2.2"):
        yield make_finding(
            rules.by_id["R22"], seen=f"torch {torch.version}", where=where(subject, torch)
        )
