"""``rdna1-lock env``: the variables of a lock, for a shell or a program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rdna1_lock.cli.locks import LOCK
from rdna1_lock.cli.render import data
from rdna1_lock.cli.terminal import open_context
from rdna1_lock.errors import Exit
from rdna1_lock.install.activation import FORMATS
from rdna1_lock.tasks.variables import variables

if TYPE_CHECKING:
    from pathlib import Path


@click.command("env", short_help="Print the variables that a lock needs.")
@LOCK
@click.option(
    "--format",
    "form",
    type=click.Choice(sorted(FORMATS)),
    default="sh",
    show_default=True,
    help="How to write them.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def command(lock: Path, form: str, as_json: bool) -> int:
    """Print the environment variables of LOCK, e.g. for `eval "$(rdna1-lock env LOCK)"`."""
    with open_context(quiet=False) as context:
        found = variables(lock, context)
    data(FORMATS["json" if as_json else form](found))
    return Exit.OK
