"""Read ``checks.toml``: what the checks of ``audit`` look for, and the commands that mend it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdna1_lock.rules.entry import Entry, read_entry, read_tables
from rdna1_lock.rules.model import Command, Installer

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

_FIELD = re.compile(r"\{[a-z]+\}")


@dataclass(frozen=True, kw_only=True)
class CheckData:
    """The entry of one rule; ``facts`` is what its check reads by ``rules.facts``."""

    commands: Mapping[str, Command]
    messages: tuple[str, ...]
    facts: Entry


def load_checks(
    folder: Path, rules: Collection[str]
) -> tuple[tuple[Installer, ...], dict[str, CheckData]]:
    """Read the installers, and the entries by rule; ``rules`` are the ids that exist."""
    entry = read_entry(folder / "checks.toml")
    installers = read_tables(entry, "installers", _installer)
    found: dict[str, CheckData] = {}

    def check(row: Entry) -> None:
        rule = row.text("rule")
        if rule not in rules:
            raise row.error(f"`rule`: there is no rule {rule}")
        if rule in found:
            raise row.error(f"two entries for the rule {rule}")
        commands = _commands(row.table("commands")) if "commands" in row.data else {}
        messages = row.texts("messages", required=False)
        found[rule] = CheckData(commands=commands, messages=messages, facts=row.copy())
        # The check of the rule reads the rest, and refuses what it does not know.
        row.data.clear()

    read_tables(entry, "checks", check)
    entry.done()
    return installers, found


def _commands(entry: Entry) -> dict[str, Command]:
    found = {}
    for name in list(entry.data):
        table = entry.table(name)
        found[name] = _command(table, table.text("tool"), "line")
        table.done()
    return found


def _installer(entry: Entry) -> Installer:
    tool = entry.text("tool")
    return Installer(
        install=_command(entry, tool, "install"),
        reinstall=_command(entry, tool, "reinstall"),
        uninstall=_command(entry, tool, "uninstall"),
    )


def _command(entry: Entry, tool: str, key: str) -> Command:
    line = entry.text(key)
    if set("{}") & set(_FIELD.sub("", line)):
        raise entry.error(f"`{key}`: braces may only name a field, as in {{python}}")
    return Command(tool=tool, line=line)
