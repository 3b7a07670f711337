"""What a check needs to know, read from its entry in ``checks.toml`` into a value of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from rdna1_lock.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rdna1_lock.rules.entry import Entry
    from rdna1_lock.rules.model import RuleSet

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts(Generic[T]):
    """The facts of one rule and how they are read; a check declares them with its code."""

    rule: str
    read: Callable[[Entry], T]

    def of(self, rules: RuleSet) -> T:
        """Read them.

        Raises:
            InputError: a key is missing, unknown or of the wrong type; file and entry are named.

        """
        if self.rule not in rules.facts:
            raise InputError(
                "bad-rule-file", f"constraints/checks.toml: there is no entry for {self.rule}"
            )
        entry = rules.facts[self.rule].copy()
        value = self.read(entry)
        entry.done()
        return value
