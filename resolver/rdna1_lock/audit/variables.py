"""The rules on environment variables and on what they let into the process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from packaging.version import Version

from rdna1_lock.host.gpus import RDNA1
from rdna1_lock.rules import NATIVE_FROM
from rdna1_lock.rules.finding import Finding, make_finding
from rdna1_lock.rules.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdna1_lock.audit.subject import Subject
    from rdna1_lock.host.system import Host
    from rdna1_lock.rules import RuleSet

OVERRIDE = "HSA_OVERRIDE_GFX_VERSION"
FAMILIES = ("FFT", "DIRECT", "GEMM", "WINOGRAD", "IMPLICIT_GEMM")
OFF = {"0", "no", "false", "disable", "disabled"}
# Unversioned names, as the wheels' own libraries ask for them.
LEAKS = (
    "libMIOpen.so",
    "libamdhip64.so",
    "libhsa-runtime64.so",
    "librocblas.so",
    "libamd_comgr.so",
)
RPATH_FROM = Version("2.1")


def check_variables(subject: Subject, rules: RuleSet, host: Host | None) -> Iterator[Finding]:
    """Yield what is wrong with the variables that Python has when it is started as we were."""
    if not subject.installed:
        return
    yield from _override(subject, rules, host)
    yield from _solvers(subject, rules)
    yield from _leaks(subject, rules)
    yield from _others(subject, rules)


def _native(subject: Subject) -> bool:
    files, rocm = subject.torch_files, subject.rocm
    own = files is not None and bool(files.gfx & RDNA1)
    return own or (rocm is not None and rocm >= NATIVE_FROM)


def _override(subject: Subject, rules: RuleSet, host: Host | None) -> Iterator[Finding]:
    """R06: presented as gfx1030 exactly where the wheel has no code for the card itself."""
    if subject.rocm is None:
        return
    value = subject.variables.get(OVERRIDE)
    rule = rules.by_id["R06"]
    if _native(subject):
        if value:
            yield make_finding(
                rule,
                seen=f"{OVERRIDE}={value}, and this torch has native code for RDNA1",
                where="variables",
                remedy=f"Unset {OVERRIDE}.",
                commands=(("shell", f"unset {OVERRIDE}"),),
            )
        return
    if value == "10.3.0":
        return
    by_activation = subject.activation.get(OVERRIDE) == "10.3.0"
    if value is None and by_activation:
        return
    # Without a card of this kind here, the environment may be meant for another machine.
    severe = host is not None and bool(host.rdna1)
    yield make_finding(
        rule,
        severity=Severity.ERROR if severe or value is not None else Severity.WARNING,
        seen=f"{OVERRIDE} is {value or 'not set'}, and this torch has no code for RDNA1",
        where="variables",
        commands=(("shell", f"export {OVERRIDE}=10.3.0"),),
    )


def _solvers(subject: Subject, rules: RuleSet) -> Iterator[Finding]:
    """R08: families of solvers that are switched off; a 1 changes nothing."""
    names = {family: f"MIOPEN_DEBUG_CONV_{family}" for family in FAMILIES}
    values = {family: subject.variables.get(name) for family, name in names.items()}
    off = [family for family, value in values.items() if value in OFF]
    if off:
        left = [family for family in FAMILIES if family not in off]
        severe = left in ([], ["GEMM"])
        what = "no solver is left" if not left else f"left are {', '.join(left)}"
        if left == ["GEMM"]:
            what = "only GEMM is left, with which convolutions above 42x42 were reported to hang"
        yield make_finding(
            rules.by_id["R08"],
            severity=Severity.ERROR if severe else Severity.WARNING,
            seen=f"{', '.join(names[family] + '=' + str(values[family]) for family in off)}: {what}",
            where="variables",
            commands=(("shell", f"unset {' '.join(names[family] for family in off)}"),),
        )
    on = [family for family, value in values.items() if value is not None and value not in OFF]
    if on:
        yield make_finding(
            rules.by_id["R08"],
            seen=f"{', '.join(names[family] + '=' + str(values[family]) for family in on)} changes nothing",
            where="variables",
        )


def _leaks(subject: Subject, rules: RuleSet) -> Iterator[Finding]:
    """R09: a system ROCm that takes the place of the wheel's own libraries."""
    torch = subject.first("torch")
    if torch is None or torch.version is None or subject.rocm is None:
        return
    files = subject.torch_files
    loader = files.loader if files is not None else None
    gives_way = loader == "RUNPATH" or (loader is None and torch.version < RPATH_FROM)
    for place in subject.variables.get("LD_LIBRARY_PATH", "").split(":"):
        found = [name for name in LEAKS if place and (Path(place) / name).exists()]
        if found:
            how = f"by {loader}" if loader else "by its release"
            yield make_finding(
                rules.by_id["R09"],
                severity=Severity.ERROR if gives_way else Severity.INFO,
                seen=f"LD_LIBRARY_PATH has {place} with {', '.join(found)}; {how}, torch {torch.version}"
                + (" takes those instead of its own" if gives_way else " takes its own first"),
                where="variables",
                commands=(("shell", "unset LD_LIBRARY_PATH"),) if gives_way else (),
            )
    preloaded = subject.variables.get("LD_PRELOAD", "").replace(":", " ").split()
    for library in preloaded:
        if any(Path(library).name.startswith(name) for name in LEAKS):
            yield make_finding(
                rules.by_id["R09"],
                seen=f"LD_PRELOAD puts {library} before the wheel's own",
                where="variables",
                commands=(("shell", "unset LD_PRELOAD"),),
            )


def _others(subject: Subject, rules: RuleSet) -> Iterator[Finding]:
    if subject.rocm is None:
        return
    enforce = subject.variables.get("MIOPEN_FIND_ENFORCE")
    if enforce is not None and enforce.upper() not in {"", "1", "NONE"}:
        yield make_finding(
            rules.by_id["R21"],
            seen=f"MIOPEN_FIND_ENFORCE={enforce}",
            where="variables",
            commands=(("shell", "unset MIOPEN_FIND_ENFORCE"),),
        )
    for name in ("ROCM_PATH", "ROCM_HOME"):
        if name in subject.variables:
            yield make_finding(
                rules.by_id["R20"],
                seen=f"{name}={subject.variables[name]} is read only when extensions are built",
                where="variables",
            )
