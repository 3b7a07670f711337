"""Findings that a project has decided to live with: ``[tool.rdna1-lock.audit]`` in pyproject.toml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdna1_lock import toml
from rdna1_lock.errors import InputError, one_line

if TYPE_CHECKING:
    from pathlib import Path

    from rdna1_lock.rules import RuleSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """A rule that is not to be told of, and why."""

    rule: str
    reason: str


def read_suppressions(path: Path, rules: RuleSet) -> tuple[Suppression, ...]:
    """Read them from a pyproject.toml; none where there is no such file or table.

    Raises:
        InputError: the file cannot be read, a rule is not known, or a reason is missing.

    """
    if not path.is_file():
        return ()
    try:
        data = toml.loads(path.read_text("utf-8"))
        entries = data.get("tool", {}).get("rdna1-lock", {}).get("audit", {}).get("ignore", [])
        if not isinstance(entries, list):
            raise TypeError("`ignore` is no list")
        found = [
            Suppression(
                rule=str(entry["rule"]).upper(), reason=str(entry.get("reason", "")).strip()
            )
            for entry in entries
        ]
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            "bad-suppressions",
            f"{path}: [tool.rdna1-lock.audit]: {one_line(error)}",
            hint='write ignore = [{ rule = "R22", reason = "..." }]',
        ) from error
    for item in found:
        if item.rule not in rules.by_id:
            raise InputError("bad-suppressions", f"{path}: there is no rule {item.rule}")
        if not item.reason:
            raise InputError(
                "bad-suppressions",
                f"{path}: {item.rule} is ignored without a reason",
                hint=f'write {{ rule = "{item.rule}", reason = "..." }}: the next reader wants to know',
            )
    return tuple(found)
