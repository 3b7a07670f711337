"""Everything that is known, with evidence and sources: rules, stacks, known outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdna1_lock.errors import UsageError
from rdna1_lock.rules import load_known, load_rules, load_stack, stack_ids

if TYPE_CHECKING:
    from rdna1_lock.rules import Known, Rule, RuleSet, Stack


@dataclass(frozen=True, kw_only=True)
class RulesRequest:
    """Which rule (``R05``) or stack (``rocm5.2``) to show; None for all of them."""

    identifier: str | None = None


@dataclass(frozen=True, kw_only=True)
class ShownRule:
    """A rule, and where it is held: ``lock``, ``environment``, ``host``."""

    rule: Rule
    scope: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ShownStack:
    """A stack, what is known to happen with it, and the variable that it must leave unset."""

    stack: Stack
    known: tuple[Known, ...]
    unset: str | None


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What was asked for."""

    rules: tuple[ShownRule, ...]
    stacks: tuple[ShownStack, ...]


def show_rules(request: RulesRequest) -> Shown:
    """Return the rules and stacks that were asked for.

    Raises:
        UsageError: there is neither a rule nor a stack of this name.

    """
    rules = load_rules()
    stacks = [load_stack(name) for name in stack_ids()]
    asked = request.identifier
    shown = Shown(
        rules=tuple(
            _rule(rule) for rule in rules.rules if asked is None or rule.id == asked.upper()
        ),
        stacks=tuple(
            _stack(stack, rules) for stack in stacks if asked is None or stack.id == asked.lower()
        ),
    )
    if not shown.rules and not shown.stacks:
        raise UsageError(
            "unknown-rule",
            f"there is no rule or stack `{asked}`",
            hint="`rdna1-lock rules` lists them",
        )
    return shown


def _rule(rule: Rule) -> ShownRule:
    from rdna1_lock.audit import checks  # noqa: F401  # importing it registers the checks
    from rdna1_lock.audit.registry import scopes_of

    return ShownRule(rule=rule, scope=tuple(scope.value for scope in scopes_of(rule)))


def _stack(stack: Stack, rules: RuleSet) -> ShownStack:
    from rdna1_lock.audit.checks.variables import OVERRIDE

    series = stack.series
    return ShownStack(
        stack=stack,
        known=tuple(
            known
            for known in load_known()
            if series is not None and known.rocm.contains(series, prereleases=True)
        ),
        unset=OVERRIDE.of(rules) if stack.override is None else None,
    )
