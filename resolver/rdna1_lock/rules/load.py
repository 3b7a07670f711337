"""Read rules and stacks from ``constraints/``; every error names the file and the entry."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

from rdna1_lock.errors import UsageError, one_line
from rdna1_lock.rules.applications import Applications
from rdna1_lock.rules.checks import load_checks
from rdna1_lock.rules.entry import Entry, read_entry, read_tables
from rdna1_lock.rules.location import constraints_dir
from rdna1_lock.rules.model import (
    Build,
    Disk,
    Rule,
    RuleDependency,
    RuleSet,
    Severity,
    Stack,
    Variable,
    When,
)
from rdna1_lock.rules.tables import load_gpus

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_STACK = "rocm5.2"
VIRTUAL = frozenset({"<python>", "<rocm>", "<gfx>", "<glibc>"})
# In `names`: every member of the torch family.
FAMILY = "<family>"


def _rule_dependency(family: tuple[str, ...], entry: Entry) -> RuleDependency:
    when = entry.table("when")
    names = {
        member for name in when.texts("names") for member in (family if name == FAMILY else (name,))
    }
    found = RuleDependency(
        when=When(
            names=frozenset(names),
            specifier=when.specifier("specifier"),
            rocm=when.specifier("rocm"),
        ),
        on=entry.text("on"),
        specifier=entry.specifier("specifier"),
        from_label=entry.take("from-label", bool, default=False),
        from_release=entry.take("from-release", bool, default=False),
    )
    when.done()
    if found.on.startswith("<") and found.on not in VIRTUAL:
        raise entry.error(f"`on`: there is no virtual package {found.on}")
    if (found.specifier is not None) + found.from_label + found.from_release != 1:
        raise entry.error("exactly one of `specifier`, `from-label`, `from-release` must be given")
    return found


def _rule(family: tuple[str, ...], entry: Entry) -> Rule:
    identifier = entry.text("id")
    if not re.fullmatch(r"R\d{2}", identifier):
        raise entry.error(f"`id` must be R and two digits, not {identifier!r}")
    try:
        severity = Severity(entry.text("severity"))
    except ValueError as error:
        raise entry.error(f"`severity`: {one_line(error)}") from error
    dependencies: tuple[RuleDependency, ...] = ()
    if "dependencies" in entry.data:
        dependencies = read_tables(entry, "dependencies", partial(_rule_dependency, family))
    return Rule(
        id=identifier,
        title=entry.text("title"),
        severity=severity,
        evidence=entry.evidence(),
        date=entry.date(),
        why=entry.text("why"),
        symptom=entry.text("symptom"),
        remedy=entry.text("remedy"),
        sources=entry.texts("sources"),
        dependencies=dependencies,
        extras=entry.texts("extras", required=False),
    )


def load_rules(folder: Path | None = None) -> RuleSet:
    """Read the rules with all that belongs to them: builds, targets, what checks look for."""
    folder = folder or constraints_dir()
    family, builds = _load_builds(folder)
    entry = read_entry(folder / "rules.toml")
    rules = read_tables(entry, "rules", partial(_rule, family))
    entry.done()
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            raise entry.error(f"two rules have the id {rule.id}")
        seen.add(rule.id)
    installers, checks = load_checks(folder, seen)
    return RuleSet(
        rules=tuple(
            replace(rule, commands=checks[rule.id].commands, messages=checks[rule.id].messages)
            if rule.id in checks
            else rule
            for rule in rules
        ),
        builds=builds,
        family=family,
        targets=load_gpus(folder).targets,
        applications=Applications(folder / "applications"),
        installers=installers,
        facts={name: check.facts for name, check in checks.items()},
    )


def _load_builds(folder: Path) -> tuple[tuple[str, ...], tuple[Build, ...]]:
    table = read_entry(folder / "torch.toml")
    table.evidence()
    table.date()
    table.texts("sources")
    family = table.texts("family")
    builds = read_tables(table, "builds", _build)
    for name in family:
        if not any(build.release(name) for build in builds):
            raise table.error(f"`family`: no build has a column `{name}`")
    table.done()
    return family, builds


def _build(entry: Entry) -> Build:
    entry.texts("gfx", required=False)
    return Build(
        torch=entry.text("torch"),
        rocm=entry.text("rocm"),
        python=entry.texts("python"),
        torchvision=entry.optional("torchvision"),
        torchaudio=entry.optional("torchaudio"),
        triton=entry.optional("triton"),
    )


def stack_ids(folder: Path | None = None) -> tuple[str, ...]:
    """Return the ids of all stacks, the default first."""
    names = sorted(path.stem for path in ((folder or constraints_dir()) / "stacks").glob("*.toml"))
    return tuple(sorted(names, key=lambda name: (name != DEFAULT_STACK, name)))


def load_stack(name: str, folder: Path | None = None) -> Stack:
    """Read one stack.

    Raises:
        UsageError: when there is none of this name.

    """
    folder = folder or constraints_dir()
    if name not in stack_ids(folder):
        raise UsageError(
            "unknown-stack",
            f"there is no stack `{name}`",
            hint=f"choose one of {', '.join(stack_ids(folder))}; `rdna1-lock rules` describes them",
        )
    entry = read_entry(folder / "stacks" / f"{name}.toml")
    if entry.text("id") != name:
        raise entry.error("`id` is not the name of the file")
    nix = entry.table("nix")
    stack = Stack(
        id=name,
        title=entry.text("title"),
        summary=entry.text("summary"),
        experimental=entry.take("experimental", bool),
        evidence=entry.evidence(),
        date=entry.date(),
        sources=entry.texts("sources"),
        rocm=entry.bound("rocm"),
        index=entry.text("index"),
        family=entry.texts("family"),
        gfx=entry.texts("gfx"),
        override=entry.optional("override"),
        python=entry.bound("python"),
        default_python=entry.text("default-python"),
        platform=entry.text("platform"),
        requirements=entry.texts("requirements"),
        optional=entry.texts("optional", required=False),
        fetch_ahead=entry.texts("fetch-ahead", required=False),
        sdist_only=entry.texts("sdist-only", required=False),
        env=read_tables(entry, "env", _variable),
        nix_python=nix.text("python"),
        nix_libraries=nix.texts("libraries"),
        disk=_disk(entry),
        offer=entry.optional("offer"),
    )
    for gfx in stack.gfx:
        if gfx not in load_gpus(folder).targets:
            raise entry.error(f"`gfx`: gpus.toml has no chip with the target {gfx}")
    nix.done()
    entry.done()
    return stack


@cache
def lockable_variables() -> frozenset[str]:
    """Return the names of the variables that a lock may set: those that some stack sets."""
    return frozenset(item.name for name in stack_ids() for item in load_stack(name).env)


def _disk(entry: Entry) -> Disk | None:
    """Read what is reported of the size on disk, in MB, with its sources."""
    if "disk" not in entry.data:
        return None
    table = Entry(entry.take("disk", dict), entry.file, "disk")
    table.evidence()
    table.date()
    table.texts("sources")
    disk = Disk(
        download=table.take("download-mb", int) * 10**6,
        installed=table.take("installed-mb", int) * 10**6,
    )
    table.done()
    return disk


def _variable(entry: Entry) -> Variable:
    name = entry.text("name")
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
        raise entry.error(f"`name` is not the name of a variable: {name!r}")
    return Variable(
        name=name, value=entry.text("value"), rule=entry.text("rule"), effect=entry.text("effect")
    )


def rules_digest(rules: RuleSet, stack: Stack) -> str:
    """Hash what the rules decide, not how they are worded: two equal digests lock alike."""
    facts = {
        "rules": [
            [
                rule.id,
                [
                    [
                        sorted(dependency.when.names),
                        str(dependency.when.specifier),
                        str(dependency.when.rocm),
                        dependency.on,
                        str(dependency.specifier),
                        dependency.from_label,
                        dependency.from_release,
                    ]
                    for dependency in rule.dependencies
                ],
            ]
            for rule in rules.rules
            if rule.dependencies
        ],
        "builds": [
            [build.torch, build.rocm, build.python, build.torchvision, build.torchaudio]
            for build in rules.builds
        ],
        "stack": [
            stack.id,
            str(stack.rocm),
            stack.family,
            stack.gfx,
            stack.override,
            str(stack.python),
            stack.sdist_only,
            [[variable.name, variable.value] for variable in stack.env],
            stack.nix_python,
            stack.nix_libraries,
        ],
    }
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
