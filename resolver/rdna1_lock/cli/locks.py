"""What the commands on a lock share: its argument, and the index options."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Whether it can be read is found when it is read: exit 3, with a reason.
LOCK = click.argument("lock", metavar="LOCK", type=click.Path(path_type=Path, readable=False))
INDEX_OPTIONS = [
    click.option(
        "--index-url",
        metavar="URL",
        help="Default index, for portable locks [default: the one that pip is configured for].",
    ),
    click.option(
        "-f",
        "--find-links",
        metavar="DIR",
        multiple=True,
        type=click.Path(path_type=Path),
        help="Folder with wheels of your own, or fetched earlier.",
    ),
]


def options(decorators: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """Apply several options to a command."""

    def apply(function: Any) -> Any:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return apply


def flake_reference(folder: Path) -> str:
    """Write a folder so that Nix does not take it for a name in its registry."""
    text = str(folder)
    return text if text.startswith(("/", "./", "../")) or text in {".", ".."} else f"./{text}"
