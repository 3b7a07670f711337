"""Findings that a project lives with: ``[tool.rdna1-lock.audit]`` in pyproject.toml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdna1_lock import toml
from rdna1_lock.errors import InputError, one_line
from rdna1_lock.lock.files import LARGEST
from rdna1_lock.regular import read_regular

if TYPE_CHECKING:
    from rdna1_lock.rules import RuleSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """A rule whose findings are set aside, and why."""

    rule: str
    reason: str


PYPROJECT = Path("pyproject.toml")


def read_suppressions(path: Path, rules: RuleSet) -> tuple[Suppression, ...]:
    """Read them from a pyproject.toml; without the table there are none, nor without pyproject.toml.

    Raises:
        InputError: the file cannot be read, a rule does not exist, or a reason is missing.

    """
    if not path.exists() and path == PYPROJECT:
        return ()
    try:
        found = _suppressions(toml.loads(read_regular(path, LARGEST).decode("utf-8")))
    except OSError as error:
        raise InputError(
            "bad-suppressions",
            f"cannot read {path}: {error.strerror}",
            hint="--config names a file with [tool.rdna1-lock.audit]",
        ) from error
    except (UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            "bad-suppressions",
            f"{path}: [tool.rdna1-lock.audit]: {one_line(error)}",
            hint='write ignore = [{ rule = "R22", reason = "..." }]',
        ) from error
    for item in found:
        if item.rule not in rules.by_id:
            raise InputError("bad-suppressions", f"{path}: the rule {item.rule} does not exist")
        if not item.reason:
            raise InputError(
                "bad-suppressions",
                f"{path}: {item.rule} is ignored without a reason",
                hint=f'write {{ rule = "{item.rule}", reason = "..." }}: whoever reads it next wants to know',
            )
    return tuple(found)


def _suppressions(data: dict[str, Any]) -> list[Suppression]:
    entries = data.get("tool", {}).get("rdna1-lock", {}).get("audit", {}).get("ignore", [])
    if not isinstance(entries, list):
        raise TypeError("`ignore` must be a list")
    return [
        Suppression(rule=str(entry["rule"]).upper(), reason=str(entry.get("reason", "")).strip())
        for entry in entries
    ]
