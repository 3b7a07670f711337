"""What ``resolve`` prints of releases that are not the newest, and of those that nobody ran."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rdna1_lock.cli.render import say
from rdna1_lock.resolution.explain.reason import wheel_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdna1_lock.resolution.model import HeldBack
    from rdna1_lock.resolution.standing import Standing
    from rdna1_lock.tasks.resolve import Resolved

MOST = 12


def say_held_back(resolved: Resolved) -> None:
    """Print which locked releases are not the newest, and why; those kept from before are counted."""
    facts = {item.package: item for item in resolved.held_back}
    standings = [one for one in resolved.standings if not one.why.kept or one.name in facts]
    old = [one for one in standings if _by_python(one, facts) and one.name not in resolved.direct]
    held = [one for one in standings if one not in old]
    if standings:
        say("held back:")

    def order(one: Standing) -> tuple[bool, bool, str]:
        # What the user asked for, or what a rule or fact decides, says most.
        decided = one.name in facts or one.why.rule is not None
        return one.name not in resolved.direct, not decided, one.name

    for one in sorted(held, key=order)[:MOST]:
        fact = facts.get(one.name)
        here = (
            f" ({fact.newest} for this target)" if fact and fact.newest != str(one.newest) else ""
        )
        say(f"  {one.name} {one.locked}, newest {one.newest}{here}: {_why(one, fact)}")
        if one.why.build is not None:
            say(f"    build it: {wheel_command(one.name, one.why.build)}")
    if len(held) > MOST:
        say(f"  and {len(held) - MOST} more; --json lists them all")
    if old:
        names = ", ".join(one.name for one in old)
        say(f"  by the lock's Python: newer releases of {names}")
    kept = len(resolved.standings) - len(standings)
    if kept:
        say(f"kept: {kept} packages have newer releases; --upgrade takes them")


def _by_python(one: Standing, facts: dict[str, HeldBack]) -> bool:
    return one.why.python and one.name not in facts


def _why(one: Standing, fact: HeldBack | None) -> str:
    if fact is None:
        return one.why.text
    moved = f"; the lock had {fact.moved_from}" if fact.moved_from else ""
    return f"{fact.why} ({', '.join(fact.by)}){moved}"


def unmeasured_words(resolved: Resolved) -> Iterator[str]:
    """Yield a line for packages that nobody ran with this torch, and one for newer releases."""
    never = [item for item in resolved.unmeasured if item.newest is None]
    if never:
        names = ", ".join(f"{item.package} {item.version}" for item in never)
        yield f"not tried with this torch: {names}"
    newer = [item for item in resolved.unmeasured if item.newest is not None]
    if newer:
        names = ", ".join(f"{item.package} {item.version} ({item.newest})" for item in newer)
        yield f"newer than the newest release that was tried with this torch: {names}"


def held_back_json(resolved: Resolved) -> dict[str, Any]:
    """Return both lists for ``--json``."""
    facts = {item.package: item for item in resolved.held_back}
    return {
        "held-back": [_standing_json(one, facts.get(one.name)) for one in resolved.standings],
        "unmeasured": [asdict(item) for item in resolved.unmeasured],
    }


def _standing_json(one: Standing, fact: HeldBack | None) -> dict[str, Any]:
    return {
        "name": one.name,
        "locked": str(one.locked),
        "newest": str(one.newest),
        "why": one.why.text if fact is None else fact.why,
        "rule": one.why.rule,
        "by": [] if fact is None else list(fact.by),
        "moved-from": None if fact is None else fact.moved_from,
        "kept": one.why.kept,
        "build": None if one.why.build is None else str(one.why.build),
    }
