"""Everything that is known, with evidence and sources: rules, stacks, known outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from rdna1_lock.errors import UsageError
from rdna1_lock.rules import (
    load_known,
    load_recipe,
    load_rules,
    load_stack,
    recipe_ids,
    stack_ids,
)

if TYPE_CHECKING:
    from rdna1_lock.rules import Application, Known, Recipe, Rule, RuleSet, Stack


@dataclass(frozen=True, kw_only=True)
class RulesRequest:
    """What to show; None for all rules and stacks.

    A rule (``R05``), a stack (``rocm5.2``), a package or fact (``A-transformers-torch``), a recipe,
    or ``recipes`` for all of these.
    """

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

    rules: tuple[ShownRule, ...] = ()
    stacks: tuple[ShownStack, ...] = ()
    applications: tuple[Application, ...] = ()
    recipes: tuple[Recipe, ...] = ()


def show_rules(request: RulesRequest) -> Shown:
    """Return what was asked for.

    Raises:
        UsageError: there is nothing of this name.

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
    if shown.rules or shown.stacks or asked is None:
        return shown
    if asked == "recipes" or asked.lower() in recipe_ids():
        names = recipe_ids() if asked == "recipes" else (asked.lower(),)
        return Shown(recipes=tuple(map(load_recipe, names)))
    if asked.upper().startswith("A-"):
        package = rules.applications.by_id(f"A-{asked[2:].lower()}").package
    else:
        package = str(canonicalize_name(asked.partition("[")[0]))
    record = rules.applications.of(package)
    if record is None:
        measured = [one.package for one in rules.applications.all()]
        near = get_close_matches(package, [*measured, *recipe_ids(), *stack_ids()], n=1)
        listed = "`rdna1-lock rules` and `rdna1-lock rules recipes` list them, but for the packages"
        raise UsageError(
            "unknown-rule",
            f"there is no rule, stack, recipe, or measured package `{asked}`",
            hint=f"did you mean {near[0]}?" if near else listed,
        )
    return Shown(applications=(record,))


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
