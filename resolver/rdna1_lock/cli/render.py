"""The one way to standard output and standard error: text for people, JSON and data for programs.

Names, reasons and versions come from indexes, wheels, locks and certificates. Whatever goes to a
terminal passes here, so that no escape sequence, no hidden character and no password gets there.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import click

from rdna1_lock.text import printable, without_credentials

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rdna1_lock.errors import Error
    from rdna1_lock.tasks.size import Size

JSON_SCHEMA = 1
WIDTH = 100
_ESCAPE = re.compile("[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def show(text: str = "") -> None:
    """Print lines of a result to standard output."""
    click.echo(_clean(text))


def data(text: str) -> None:
    """Print data that programs read to standard output: a lock, shell lines, SARIF.

    To a program it goes as it is; on a terminal, where people look at it, hidden characters do not.
    """
    click.echo(printable(text, keep="\n\t") if sys.stdout.isatty() else text, nl=False)


def say(text: str) -> None:
    """Print a line about what was done to standard error."""
    _remark(_clean(text))


def note(text: str) -> None:
    """Print a remark to standard error."""
    _remark(_style("note", fg="yellow", bold=True) + f": {_clean(text)}")


def draw(text: str) -> None:
    """Print to standard error without a line break, for a line that is drawn again."""
    _remark(printable(without_credentials(text), keep="\r"), nl=False)


def print_error(error: Error) -> None:
    """Print an error: what, then the facts, then what to do."""
    code = _style(f"error[{error.code}]", fg="red", bold=True)
    _remark(f"{code}: {_clean(error.message)}")
    if error.facts:
        _remark("")
        for fact in error.facts:
            _remark(_wrapped(_clean(fact)))
    if error.hint:
        _remark("")
        _remark(f"{_style('hint', fg='cyan', bold=True)}: {_clean(error.hint)}")


def print_json(result: dict[str, Any]) -> None:
    """Print the one JSON object of a command; ``schema`` is the version of its form."""
    text = json.dumps({"schema": JSON_SCHEMA, **result}, indent=2, ensure_ascii=False)
    # JSON escapes the C0 controls by itself; the rest of what a terminal obeys is escaped here.
    escaped = _ESCAPE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    click.echo(without_credentials(escaped))


def size_words(size: Size) -> str:
    """Write how much is to download and what the disk must have."""
    words = f"about {_bytes(size.download)} to download, at least {_bytes(size.together)} of disk with it"
    if size.unknown:
        words += f"; {size.unknown} wheels of unknown size not counted"
    return words


def _bytes(number: int) -> str:
    return f"{number / 1e9:.1f} GB" if number >= 10**9 else f"{max(number, 10**6) / 1e6:.0f} MB"


def _remark(text: str, *, nl: bool = True) -> None:
    """Write to standard error; that nobody can read it, or its disk is full, stops no task."""
    with contextlib.suppress(OSError):
        click.echo(text, nl=nl, err=True)


def _clean(text: str) -> str:
    return printable(without_credentials(text), keep="\n")


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


def print_rows(rows: Iterable[tuple[str, str]]) -> None:
    """Print labelled texts, wrapped below each other."""
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
