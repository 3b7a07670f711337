"""Commands that install and remove packages in the environment that was looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rdna1_lock.audit.observed import Observed
    from rdna1_lock.rules import Command


def install(
    observed: Observed, words: Sequence[str], *, reinstall: bool = False
) -> tuple[Command, ...]:
    """Return how to install the given requirements and options; nothing for a file."""
    if not observed.subject.installed:
        return ()
    python = observed.subject.interpreter or "python"
    return tuple(
        (tool.reinstall if reinstall else tool.install).fill(python=python, words=tuple(words))
        for tool in observed.rules.installers
    )


def uninstall(observed: Observed, names: Sequence[str]) -> tuple[Command, ...]:
    """Return how to remove projects; nothing for a file."""
    if not observed.subject.installed:
        return ()
    python = observed.subject.interpreter or "python"
    return tuple(
        tool.uninstall.fill(python=python, words=tuple(names)) for tool in observed.rules.installers
    )


def install_stack(observed: Observed) -> tuple[Command, ...]:
    """Return how to put the stack's own builds in place, from its index and nowhere else."""
    stack, subject = observed.stack, observed.subject
    if not subject.installed:
        return (observed.rules.by_id["R03"].command("lock", words=stack.requirements),)
    present = {package.name for package in subject.packages}
    optional = [text for text in stack.optional if text.split("==")[0] in present]
    options = ["--no-deps", "--index-url", stack.index]
    return install(observed, [*options, *stack.requirements, *optional], reinstall=True)
