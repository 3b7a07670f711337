"""The environment variables that Python would have if it were started now: R06, R08, R20, R21, R29."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdna1_lock.audit.registry import INSTALLED, facts, subject_check
from rdna1_lock.rules.finding import Finding, Place, make_finding
from rdna1_lock.rules.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rdna1_lock.audit.observed import Observed


@dataclass(frozen=True, slots=True, kw_only=True)
class Solvers:
    """MIOpen's families of solvers; ``alone`` is the one that hangs where no other is left."""

    prefix: str
    families: tuple[str, ...]
    alone: str
    off: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """The variable that makes MIOpen search exhaustively, and the values that do not."""

    variable: str
    harmless: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BufferOps:
    """The variable that makes Triton write results on native gfx101x, and Triton's packages."""

    variable: str
    value: str
    packages: tuple[str, ...]


OVERRIDE = facts("R06", lambda entry: entry.text("variable"))
SOLVERS = facts(
    "R08",
    lambda entry: Solvers(
        prefix=entry.text("prefix"),
        families=entry.texts("families"),
        alone=entry.text("alone"),
        off=entry.texts("off"),
    ),
)
BUILD_PATHS = facts("R20", lambda entry: entry.texts("variables"))
BUFFER_OPS = facts(
    "R29",
    lambda entry: BufferOps(
        variable=entry.text("variable"),
        value=entry.text("value"),
        packages=entry.texts("packages"),
    ),
)
SEARCH = facts(
    "R21",
    lambda entry: Search(variable=entry.text("variable"), harmless=entry.texts("harmless")),
)


@subject_check("R06", scopes=INSTALLED)
def override_set(observed: Observed) -> Iterator[Finding]:
    """Find the override where this torch has code for the card itself."""
    name, rule = OVERRIDE.of(observed.rules), observed.rules.by_id["R06"]
    value = observed.subject.variables.get(name)
    if value and _is_native(observed):
        yield make_finding(
            rule,
            seen=f"{name}={value}, and this torch has native code for RDNA1",
            where=Place(variable=name),
            remedy=f"Unset {name}.",
            commands=(rule.command("unset", variable=name),),
        )


@subject_check("R06", scopes=INSTALLED)
def override_missing(observed: Observed) -> Iterator[Finding]:
    """Find a missing or other override where this torch has no code for the card."""
    subject, rules = observed.subject, observed.rules
    name, rule = OVERRIDE.of(rules), rules.by_id["R06"]
    if subject.rocm is None or _is_native(observed):
        return
    value = subject.variables.get(name)
    if value == rules.override:
        return
    if value is None and subject.activation.get(name) == rules.override:
        return
    # Without a card of this kind here, the environment may be meant for another machine.
    here = observed.host is not None and bool(observed.host.rdna1)
    yield make_finding(
        rule,
        severity=Severity.ERROR if here or value is not None else Severity.WARNING,
        seen=f"{name} is {value or 'not set'}, and this torch has no code for RDNA1",
        where=Place(variable=name),
        commands=(rule.command("set", variable=name, value=rules.override),),
    )


def _is_native(observed: Observed) -> bool:
    rocm = observed.subject.rocm
    if rocm is None:
        return False
    return observed.has_native_code or observed.rules.is_native(rocm)


@subject_check("R08", scopes=INSTALLED)
def solvers(observed: Observed) -> Iterator[Finding]:
    """Find families of solvers that are switched off, and values that change nothing."""
    known, rule = SOLVERS.of(observed.rules), observed.rules.by_id["R08"]
    values = _values(known, observed.subject.variables)
    off = [family for family, value in values.items() if value in known.off]
    on = [family for family in values if family not in off]
    if off:
        severity, what = _what_is_left(known, off)
        names = tuple(known.prefix + family for family in off)
        yield make_finding(
            rule,
            severity=severity,
            seen=f"{_assigned(known, values, off)}: {what}",
            where=Place(variable=", ".join(names)),
            commands=(rule.command("unset", variables=names),),
        )
    if on:
        yield make_finding(
            rule,
            seen=f"{_assigned(known, values, on)} changes nothing",
            where=Place(variable=", ".join(known.prefix + family for family in on)),
        )


def _values(known: Solvers, variables: Mapping[str, str]) -> dict[str, str]:
    return {
        family: variables[known.prefix + family]
        for family in known.families
        if known.prefix + family in variables
    }


def _assigned(known: Solvers, values: dict[str, str], families: list[str]) -> str:
    return ", ".join(f"{known.prefix}{family}={values[family]}" for family in families)


def _what_is_left(known: Solvers, off: list[str]) -> tuple[Severity, str]:
    left = [family for family in known.families if family not in off]
    if not left:
        return Severity.ERROR, "no solver is left"
    if left == [known.alone]:
        return Severity.ERROR, f"only {known.alone} is left, which was reported to hang"
    return Severity.WARNING, f"left are {', '.join(left)}"


@subject_check("R21", scopes=INSTALLED)
def search(observed: Observed) -> Iterator[Finding]:
    """Find a value that makes MIOpen search exhaustively."""
    known, rule = SEARCH.of(observed.rules), observed.rules.by_id["R21"]
    value = observed.subject.variables.get(known.variable)
    if not value or value.upper() in known.harmless or observed.subject.rocm is None:
        return
    yield make_finding(
        rule,
        seen=f"{known.variable}={value}",
        where=Place(variable=known.variable),
        commands=(rule.command("unset", variable=known.variable),),
    )


@subject_check("R20", scopes=INSTALLED)
def build_paths(observed: Observed) -> Iterator[Finding]:
    """Say which variables matter only for building extensions."""
    subject = observed.subject
    if subject.rocm is None:
        return
    for name in BUILD_PATHS.of(observed.rules):
        if name in subject.variables:
            yield make_finding(
                observed.rules.by_id["R20"],
                seen=f"{name}={subject.variables[name]} is read only when extensions are built",
                where=Place(variable=name),
            )


@subject_check("R29", scopes=INSTALLED)
def buffer_ops(observed: Observed) -> Iterator[Finding]:
    """Find Triton next to a native torch without the variable that makes it write its results."""
    known, rule = BUFFER_OPS.of(observed.rules), observed.rules.by_id["R29"]
    subject = observed.subject
    installed = [one.name for one in subject.packages if one.name in known.packages]
    set_now = subject.variables.get(known.variable) or subject.activation.get(known.variable)
    if not installed or not _is_native(observed) or set_now == known.value:
        return
    yield make_finding(
        rule,
        seen=f"{installed[0]} with native code for RDNA1, and {known.variable} is {set_now or 'not set'}",
        where=Place(variable=known.variable),
        commands=(rule.command("set", variable=known.variable, value=known.value),),
    )
