"""``rdna1-lock rules``: everything that is known, with evidence and sources."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from rdna1_lock.cli.applications import (
    application_json,
    print_application,
    print_recipe,
    print_recipes,
    recipe_json,
)
from rdna1_lock.cli.render import print_json, print_rows, show
from rdna1_lock.errors import Exit
from rdna1_lock.rules import DEFAULT_STACK
from rdna1_lock.tasks.rules import RulesRequest, Shown, ShownRule, ShownStack, show_rules

if TYPE_CHECKING:
    from rdna1_lock.rules import Known, Stack
    from rdna1_lock.rules.model import RuleDependency


@click.command("rules", short_help="Show the rules and stacks, with evidence and sources.")
@click.argument("identifier", metavar="[ID]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def command(identifier: str | None, as_json: bool) -> int:
    """Show all rules and stacks, or ID in full.

    ID is a rule (R05), a stack (rocm5.2), a recipe (yolo), a measured package (transformers) or a
    fact about one (A-transformers-torch). `recipes` lists the recipes.
    """
    shown = show_rules(RulesRequest(identifier=identifier))
    if as_json:
        print_json(
            {
                "command": "rules",
                "rules": [_rule_json(item) for item in shown.rules],
                "stacks": [_stack_json(item.stack) for item in shown.stacks],
                "applications": [application_json(item) for item in shown.applications],
                "recipes": [recipe_json(item) for item in shown.recipes],
            }
        )
    elif identifier == "recipes":
        print_recipes(shown.recipes)
    elif identifier is None:
        _print_overview(shown)
    else:
        for rule in shown.rules:
            _print_rule(rule)
        for stack in shown.stacks:
            _print_stack(stack)
        for record in shown.applications:
            print_application(record)
        for recipe in shown.recipes:
            print_recipe(recipe)
    return Exit.OK


def _print_overview(shown: Shown) -> None:
    show("Stacks")
    for stack in (item.stack for item in shown.stacks):
        default = " (default)" if stack.id == DEFAULT_STACK else ""
        experimental = " (experimental)" if stack.experimental else ""
        show(f"  {stack.id:10} {stack.title}{default}{experimental}")
    show("\nRules      severity  evidence")
    for rule in (item.rule for item in shown.rules):
        evidence = ", ".join(kind.value for kind in rule.evidence)
        show(f"  {rule.id:8} {rule.severity.value:9} {evidence:22} {rule.title}")
    show("\n`rdna1-lock rules ID` shows one in full.")


def _print_rule(shown: ShownRule) -> None:
    rule = shown.rule
    show(f"{rule.id}  {rule.title}")
    rows = [
        ("severity", rule.severity.value),
        ("evidence", ", ".join(kind.value for kind in rule.evidence)),
        ("checked", rule.date),
        ("seen in", ", ".join(shown.scope)),
        ("why", rule.why),
        ("symptom", rule.symptom),
        ("remedy", rule.remedy),
    ]
    rows += [("source", source) for source in rule.sources]
    rows += [("resolves", _dependency(item)) for item in rule.dependencies]
    print_rows(rows)


def _dependency(item: RuleDependency) -> str:
    amount = item.specifier or ("of the same series" if item.from_label else "as released together")
    names = ", ".join(sorted(item.when.names))
    when = f"{names} {item.when.specifier}" if item.when.specifier is not None else names
    return f"{when} -> {item.on} {amount}"


def _print_stack(shown: ShownStack) -> None:
    stack = shown.stack
    show(f"{stack.id}  {stack.title}{'  (EXPERIMENTAL)' if stack.experimental else ''}")
    rows = [
        ("known", stack.summary),
        ("evidence", f"{', '.join(kind.value for kind in stack.evidence)} ({stack.date})"),
        ("locks", ", ".join(stack.requirements)),
        ("optional", ", ".join(stack.optional) or "-"),
        ("index", stack.index),
        ("python", f"{stack.python}, by default {stack.default_python}"),
        ("cards", ", ".join(stack.gfx)),
        ("platform", stack.platform),
        *_variables(shown),
    ]
    rows += [("reported", _outcome(known)) for known in shown.known]
    rows += [("source", source) for source in stack.sources]
    print_rows(rows)


def _variables(shown: ShownStack) -> list[tuple[str, str]]:
    rows = [
        ("sets", f"{item.name}={item.value} ({item.rule}): {item.effect}")
        for item in shown.stack.env
    ]
    if shown.unset is not None:
        rows.append(("sets", f"nothing; {shown.unset} must be unset (R06)"))
    return rows


def _outcome(known: Known) -> str:
    outcome = "works" if known.works else "fails"
    return (
        f"torch {known.torch} on {', '.join(known.gpus)}: {outcome}: {known.what} ({known.source})"
    )


def _rule_json(shown: ShownRule) -> dict[str, Any]:
    rule = shown.rule
    return {
        "id": rule.id,
        "title": rule.title,
        "severity": rule.severity.value,
        "evidence": [kind.value for kind in rule.evidence],
        "date": rule.date,
        "scope": list(shown.scope),
        "why": rule.why,
        "symptom": rule.symptom,
        "remedy": rule.remedy,
        "sources": list(rule.sources),
        "dependencies": [
            {
                "names": sorted(item.when.names),
                "on": item.on,
                "specifier": None if item.specifier is None else str(item.specifier),
                "from": "label" if item.from_label else "release" if item.from_release else None,
            }
            for item in rule.dependencies
        ],
    }


def _stack_json(stack: Stack) -> dict[str, Any]:
    return {
        "id": stack.id,
        "title": stack.title,
        "experimental": stack.experimental,
        "evidence": [kind.value for kind in stack.evidence],
        "date": stack.date,
        "sources": list(stack.sources),
        "summary": stack.summary,
        "requirements": list(stack.requirements),
        "optional": list(stack.optional),
        "index": stack.index,
        "python": str(stack.python),
        "default-python": stack.default_python,
        "gfx": list(stack.gfx),
        "env": [asdict(item) for item in stack.env],
    }
