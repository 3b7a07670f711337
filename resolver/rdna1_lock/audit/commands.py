"""Remedies as command lines, for pip and for uv, in the environment that was looked at."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rdna1_lock.audit.subject import Subject
    from rdna1_lock.rules import Stack

Commands = tuple[tuple[str, str], ...]


def install(subject: Subject, words: Sequence[str], *, reinstall: bool = False) -> Commands:
    """Return how to install the given requirements and options; nothing for a file."""
    if not subject.installed:
        return ()
    python = shlex.quote(subject.interpreter or "python")
    text = shlex.join(words)
    again = (" --force-reinstall", " --reinstall") if reinstall else ("", "")
    return (
        ("pip", f"{python} -m pip install{again[0]} {text}"),
        ("uv", f"uv pip install --python {python}{again[1]} {text}"),
    )


def uninstall(subject: Subject, names: Sequence[str]) -> Commands:
    """Return how to remove projects."""
    if not subject.installed:
        return ()
    python = shlex.quote(subject.interpreter or "python")
    text = shlex.join(names)
    return (
        ("pip", f"{python} -m pip uninstall --yes {text}"),
        ("uv", f"uv pip uninstall --python {python} {text}"),
    )


def install_stack(subject: Subject, stack: Stack) -> Commands:
    """Return how to put the stack's own builds in place, from its index and nowhere else."""
    if not subject.installed:
        return (("rdna1-lock", f"rdna1-lock resolve {shlex.join(stack.requirements)}"),)
    present = {package.name for package in subject.packages}
    optional = [text for text in stack.optional if text.split("==")[0] in present]
    wanted = [*stack.requirements, *optional]
    options = ["--no-deps", "--index-url", stack.index]
    return install(subject, [*options, *wanted], reinstall=True)
