"""How results look: text for people, JSON for programs; complete without colour."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rdna1_lock.errors import Error

JSON_SCHEMA = 1
WIDTH = 100


def print_error(error: Error) -> None:
    """Print an error: what, then the facts, then what to do."""
    click.echo(_style(f"error[{error.code}]", fg="red", bold=True) + f": {error.message}", err=True)
    if error.facts:
        click.echo("", err=True)
        for fact in error.facts:
            click.echo(_wrapped(fact), err=True)
    if error.hint:
        click.echo("", err=True)
        click.echo(_style("hint", fg="cyan", bold=True) + f": {error.hint}", err=True)


def note(text: str) -> None:
    """Print a remark to standard error."""
    click.echo(_style("note", fg="yellow", bold=True) + f": {text}", err=True)


def say(text: str) -> None:
    """Print a line about what was done to standard error."""
    click.echo(text, err=True)


def print_json(data: dict[str, Any]) -> None:
    """Print the one JSON object of a command; ``schema`` is the version of its form."""
    click.echo(json.dumps({"schema": JSON_SCHEMA, **data}, indent=2, ensure_ascii=False))


def _wrapped(fact: str) -> str:
    inner = fact.lstrip(" ")
    indent = " " * (len(fact) - len(inner))
    return textwrap.fill(
        inner,
        WIDTH,
        initial_indent=f"  {indent}{'' if indent else '- '}",
        subsequent_indent=f"    {indent}",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _style(text: str, **style: Any) -> str:
    if os.environ.get("NO_COLOR") or not sys.stderr.isatty():
        return text
    return click.style(text, **style)
