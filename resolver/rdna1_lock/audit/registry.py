"""Which check finds which rule, and where: the one place to look.

A check is a function of what was observed to findings, registered by a decorator. Importing
``rdna1_lock.audit.checks`` registers them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from rdna1_lock.audit.observed import Machine, Observed
from rdna1_lock.rules.facts import Facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rdna1_lock.rules import Rule, RuleSet
    from rdna1_lock.rules.entry import Entry
    from rdna1_lock.rules.finding import Finding

E = TypeVar("E", Observed, Machine)
T = TypeVar("T")


class Scope(str, Enum):
    """Where a rule is held: when locking and in lock files, in environments, on the machine."""

    LOCK = "lock"
    ENVIRONMENT = "environment"
    HOST = "host"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Generic[E]):
    """A check: the rules that its findings may have, where it looks, and the function itself."""

    rules: tuple[str, ...]
    scopes: frozenset[Scope]
    find: Callable[[E], Iterator[Finding]]


SUBJECT_CHECKS: list[Check[Observed]] = []
MACHINE_CHECKS: list[Check[Machine]] = []
FACTS: dict[str, Facts[Any]] = {}

BOTH = frozenset({Scope.LOCK, Scope.ENVIRONMENT})
FILE = frozenset({Scope.LOCK})
INSTALLED = frozenset({Scope.ENVIRONMENT})


def subject_check(
    *rules: str, scopes: frozenset[Scope]
) -> Callable[[Callable[[Observed], Iterator[Finding]]], Callable[[Observed], Iterator[Finding]]]:
    """Register a check of environments or files; it runs only where its ``scopes`` say."""

    def register(
        find: Callable[[Observed], Iterator[Finding]],
    ) -> Callable[[Observed], Iterator[Finding]]:
        SUBJECT_CHECKS.append(Check(rules=rules, scopes=scopes, find=find))
        return find

    return register


def machine_check(
    *rules: str,
) -> Callable[[Callable[[Machine], Iterator[Finding]]], Callable[[Machine], Iterator[Finding]]]:
    """Register a check of the machine."""

    def register(
        find: Callable[[Machine], Iterator[Finding]],
    ) -> Callable[[Machine], Iterator[Finding]]:
        MACHINE_CHECKS.append(Check(rules=rules, scopes=frozenset({Scope.HOST}), find=find))
        return find

    return register


def facts(rule: str, read: Callable[[Entry], T]) -> Facts[T]:
    """Declare what a check reads from the entry of its rule in ``checks.toml``."""
    found = Facts(rule=rule, read=read)
    FACTS[rule] = found
    return found


def check_facts(rules: RuleSet) -> None:
    """Read all entries of ``checks.toml``, so that a mistake in one shows whatever is audited.

    Raises:
        InputError: an entry lacks a key, or has one that no check reads.

    """
    for declared in FACTS.values():
        declared.of(rules)
    for rule, entry in rules.facts.items():
        if rule not in FACTS:
            entry.copy().done()


def scopes_of(rule: Rule) -> tuple[Scope, ...]:
    """Return where a rule is held: by the resolver, if candidates depend on it, and by checks."""
    found = {Scope.LOCK} if rule.dependencies or rule.extras else set()
    found.update(*(check.scopes for check in SUBJECT_CHECKS if rule.id in check.rules))
    found.update(*(check.scopes for check in MACHINE_CHECKS if rule.id in check.rules))
    return tuple(scope for scope in Scope if scope in found)


def check_subject(observed: Observed) -> Iterator[Finding]:
    """Run the checks of an environment or file."""
    scope = Scope.ENVIRONMENT if observed.subject.installed else Scope.LOCK
    for check in SUBJECT_CHECKS:
        if scope in check.scopes:
            yield from check.find(observed)


def check_machine(machine: Machine) -> Iterator[Finding]:
    """Run the checks of a machine."""
    for check in MACHINE_CHECKS:
        yield from check.find(machine)
