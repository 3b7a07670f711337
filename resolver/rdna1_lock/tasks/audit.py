"""Audit environments, lock files and this machine: what breaks a rule, and what mends it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rdna1_lock.errors import InputError, UsageError
from rdna1_lock.rules import DEFAULT_STACK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rdna1_lock.audit.environment import Look
    from rdna1_lock.audit.observed import Against, Observed
    from rdna1_lock.audit.report import Report
    from rdna1_lock.audit.subject import Subject
    from rdna1_lock.host.system import Host
    from rdna1_lock.install.verify import Difference
    from rdna1_lock.lock.model import Lock
    from rdna1_lock.rules import RuleSet
    from rdna1_lock.rules.finding import Finding
    from rdna1_lock.tasks.context import Context

MACHINE = "this machine"


@dataclass(frozen=True, kw_only=True)
class AuditRequest:
    """What to audit; without ``targets`` and ``host``, the active environment.

    A target is an interpreter, an environment's folder, or a lock file. ``against`` is a lock to
    compare with, ``files`` compares every installed file by hash, ``deep`` starts torch.
    ``config`` is a pyproject.toml with suppressions, ``stack`` the one that remedies name.
    """

    targets: tuple[str, ...] = ()
    host: bool = False
    against: Path | None = None
    files: bool = False
    deep: bool = False
    config: Path = Path("pyproject.toml")
    stack: str = DEFAULT_STACK


def audit(request: AuditRequest, context: Context) -> Report:
    """Look at the targets, and hold them against the rules.

    Raises:
        InputError, UsageError: a target, the lock or the suppressions cannot be read.

    """
    from rdna1_lock.audit.registry import check_facts
    from rdna1_lock.audit.report import make_report
    from rdna1_lock.audit.suppress import read_suppressions
    from rdna1_lock.host.system import look_at_host
    from rdna1_lock.rules import load_gpus, load_rules

    rules = load_rules()
    check_facts(rules)
    suppressions = read_suppressions(request.config, rules)
    host = look_at_host(load_gpus())
    subjects = _subjects(request, rules, context)
    found = _findings(_observe(subjects, host, rules, request), request, context)
    if request.host and not subjects:
        found = _on_machine(host, rules)
    return make_report(
        [*(subject.label for subject in subjects), *([MACHINE] if request.host else [])],
        found,
        suppressions,
        [text for subject in subjects for text in subject.notes],
    )


def _subjects(request: AuditRequest, rules: RuleSet, context: Context) -> list[Subject]:
    look = _look(request, rules, context)
    found = [_subject(target, look) for target in _targets(request, context)]
    if request.deep and not any(subject.installed for subject in found):
        raise UsageError("options-clash", "--deep starts an interpreter; name an environment")
    return found


def _targets(request: AuditRequest, context: Context) -> tuple[str, ...]:
    """Return what is named, else the active environment unless the machine alone is meant."""
    from rdna1_lock.audit.environment import default_target

    if request.targets or request.host:
        return request.targets
    return (default_target(context.environ),)


def _findings(everything: list[Observed], request: AuditRequest, context: Context) -> list[Finding]:
    from rdna1_lock.audit.report import findings_on

    found: list[Finding] = []
    for number, observed in enumerate(everything):
        context.check()
        complete = _run(observed, context) if request.deep else observed
        # The machine is one: its findings come with the first target.
        found += findings_on(complete, with_machine=request.host and number == 0)
    return found


def _on_machine(host: Host, rules: RuleSet) -> list[Finding]:
    from rdna1_lock.audit.report import check_host

    return check_host(host, rules, {}, rocm=None)


def _look(request: AuditRequest, rules: RuleSet, context: Context) -> Look:
    from rdna1_lock.audit.checks.files import RECORDS
    from rdna1_lock.audit.checks.libraries import EXECUTABLE_STACK
    from rdna1_lock.audit.environment import Look

    return Look(
        environ=context.environ,
        watched={*rules.family, *RECORDS.of(rules).watched},
        libraries=EXECUTABLE_STACK.of(rules),
        files=request.files,
    )


def _subject(name: str, look: Look) -> Subject:
    """Read a target, whatever it is."""
    from rdna1_lock.audit.environment import look_at_environment
    from rdna1_lock.audit.lockfiles import read_lock_file

    target = _found(name, look.environ)
    file = _file_in(target)
    return look_at_environment(target, look) if file is None else read_lock_file(file, look.environ)


def _found(name: str, environ: Mapping[str, str]) -> Path:
    """Return the path of a target; a bare name may also be that of a program on PATH."""
    target = Path(name)
    if target.exists():
        return target
    program = shutil.which(name, path=environ.get("PATH")) if "/" not in name else None
    if program is None:
        raise InputError(
            "no-target",
            f"{name} does not exist",
            hint="name an interpreter, an environment's folder, or a lock file",
        )
    return Path(program)


def _file_in(target: Path) -> Path | None:
    """Return the lock file that a target is or holds; None for an environment."""
    from rdna1_lock.audit.lockfiles import is_lock_file

    if target.is_dir():
        lock = target / "pylock.toml"
        return lock if lock.is_file() and not (target / "bin").is_dir() else None
    runs = target.stat().st_mode & 0o111
    return target if is_lock_file(target) or not runs else None


def _observe(
    subjects: list[Subject], host: Host, rules: RuleSet, request: AuditRequest
) -> list[Observed]:
    from rdna1_lock.audit.observed import Observed
    from rdna1_lock.rules import load_known, load_stack

    stack, known = load_stack(request.stack), load_known()
    against = _against(request.against) if request.against is not None else None
    return [
        Observed(
            subject=subject,
            rules=rules,
            stack=stack,
            known=known,
            host=host,
            against=_with_files(against, subject),
        )
        for subject in subjects
    ]


def _against(path: Path) -> Against:
    from rdna1_lock.audit.observed import Against
    from rdna1_lock.lock.place import lock_file, open_lock

    lock, _ = open_lock(path)
    return Against(lock=lock, name=str(lock_file(path).parent))


def _with_files(against: Against | None, subject: Subject) -> Against | None:
    """Add the files that differ from the locked wheels, where those are here."""
    from rdna1_lock.lock.forms import WHEELS_FOLDER

    if against is None or subject.interpreter is None:
        return against
    wheels = Path(against.name) / WHEELS_FOLDER
    return replace(against, files=_differing_files(against.lock, wheels, subject.interpreter))


def _differing_files(lock: Lock, wheels: Path, interpreter: str) -> tuple[Difference, ...]:
    from rdna1_lock.install.interpreter import probe
    from rdna1_lock.install.verify import compare
    from rdna1_lock.install.wheels import all_there, check_wheels

    found = probe(interpreter) if all_there(lock, wheels) else None
    if found is None:
        return ()
    check_wheels(lock, wheels)
    return tuple(
        item
        for item in compare(lock, wheels, found)
        if item.kind in {"changed", "missing"} and "/" in item.what
    )


def _run(observed: Observed, context: Context) -> Observed:
    """Start the torch of an environment, and add how it ran."""
    from rdna1_lock.audit.deep import start_torch

    interpreter = observed.subject.interpreter
    if not observed.subject.installed or interpreter is None:
        return observed
    return replace(observed, started=start_torch(interpreter, context.environ))
