"""``rdna1-lock rules``: everything that is known, with evidence and sources."""

from __future__ import annotations

import textwrap
from dataclasses import asdict
from typing import Any

import click

from rdna1_lock.cli.render import WIDTH, print_json
from rdna1_lock.errors import Exit, UsageError
from rdna1_lock.rules import (
    DEFAULT_STACK,
    Rule,
    Stack,
    load_known,
    load_rules,
    load_stack,
    stack_ids,
)


@click.command("rules", short_help="Show the rules and stacks, with evidence and sources.")
@click.argument("identifier", metavar="[ID]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def command(identifier: str | None, as_json: bool) -> int:
    """Show all rules and stacks, or the rule (R05) or stack (rocm5.2) ID in full."""
    rules = load_rules()
    stacks = [load_stack(name) for name in stack_ids()]
    if identifier is not None:
        wanted = identifier.upper()
        rules_found = [rule for rule in rules.rules if rule.id == wanted]
        stacks_found = [stack for stack in stacks if stack.id == identifier.lower()]
        if not rules_found and not stacks_found:
            raise UsageError(
                "unknown-rule",
                f"there is no rule or stack `{identifier}`",
                hint="`rdna1-lock rules` lists them",
            )
    else:
        rules_found, stacks_found = list(rules.rules), stacks
    if as_json:
        print_json(
            {
                "command": "rules",
                "rules": [_rule_json(rule) for rule in rules_found],
                "stacks": [_stack_json(stack) for stack in stacks_found],
            }
        )
    elif identifier is not None:
        for rule in rules_found:
            _print_rule(rule)
        for stack in stacks_found:
            _print_stack(stack)
    else:
        _print_overview(rules_found, stacks_found)
    return Exit.OK


def _print_overview(rules: list[Rule], stacks: list[Stack]) -> None:
    click.echo("Stacks")
    for stack in stacks:
        default = " (default)" if stack.id == DEFAULT_STACK else ""
        experimental = " (experimental)" if stack.experimental else ""
        click.echo(f"  {stack.id:10} {stack.title}{default}{experimental}")
    click.echo("\nRules      severity  evidence")
    for rule in rules:
        evidence = ", ".join(kind.value for kind in rule.evidence)
        click.echo(f"  {rule.id:8} {rule.severity.value:9} {evidence:22} {rule.title}")
    click.echo("\n`rdna1-lock rules ID` shows one in full.")


def _print_rule(rule: Rule) -> None:
    click.echo(f"{rule.id}  {rule.title}")
    rows = [
        ("severity", rule.severity.value),
        ("evidence", ", ".join(kind.value for kind in rule.evidence)),
        ("checked", rule.date),
        ("seen in", ", ".join(rule.scope)),
        ("why", rule.why),
        ("symptom", rule.symptom),
        ("remedy", rule.remedy),
    ]
    rows += [("source", source) for source in rule.sources]
    for item in rule.dependencies:
        amount = item.specifier or (
            "of the same series" if item.from_label else "as released together"
        )
        rows.append(
            (
                "resolves",
                f"{', '.join(sorted(item.when.names))} {item.when.specifier or ''} -> {item.on} {amount}".replace(
                    "  ", " "
                ),
            )
        )
    _print_rows(rows)


def _print_stack(stack: Stack) -> None:
    click.echo(f"{stack.id}  {stack.title}{'  (EXPERIMENTAL)' if stack.experimental else ''}")
    rows = [
        ("known", stack.summary),
        ("evidence", f"{', '.join(kind.value for kind in stack.evidence)} ({stack.date})"),
        ("locks", ", ".join(stack.requirements)),
        ("optional", ", ".join(stack.optional) or "-"),
        ("index", stack.index),
        ("python", f"{stack.python}, by default {stack.default_python}"),
        ("cards", ", ".join(stack.gfx)),
        ("platform", stack.platform),
    ]
    rows += [
        ("sets", f"{item.name}={item.value} ({item.rule}): {item.effect}") for item in stack.env
    ]
    if not stack.env:
        rows.append(("sets", "nothing; HSA_OVERRIDE_GFX_VERSION must be unset (R06)"))
    for known in load_known():
        series = stack.series
        if series is not None and known.rocm.contains(series, prereleases=True):
            rows.append(
                (
                    "reported",
                    f"torch {known.torch} on {', '.join(known.gpus)}: {'works' if known.works else 'fails'}: {known.what} ({known.source})",
                )
            )
    rows += [("source", source) for source in stack.sources]
    _print_rows(rows)


def _print_rows(rows: list[tuple[str, str]]) -> None:
    for label, text in rows:
        click.echo(
            textwrap.fill(
                text,
                WIDTH,
                initial_indent=f"  {label:9} ",
                subsequent_indent=" " * 12,
                break_long_words=False,
                break_on_hyphens=False,
            )
        )


def _rule_json(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "title": rule.title,
        "severity": rule.severity.value,
        "evidence": [kind.value for kind in rule.evidence],
        "date": rule.date,
        "scope": list(rule.scope),
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
