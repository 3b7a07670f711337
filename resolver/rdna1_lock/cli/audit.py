"""``rdna1-lock audit``: what is wrong with an environment, a lock file or this machine."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rdna1_lock.cli.render import WIDTH, note, print_json, say
from rdna1_lock.errors import Exit, InputError, UsageError

if TYPE_CHECKING:
    from rdna1_lock.audit.report import Report
    from rdna1_lock.audit.subject import Subject
    from rdna1_lock.host.system import Host
    from rdna1_lock.lock.model import Lock
    from rdna1_lock.rules import RuleSet
    from rdna1_lock.rules.finding import Finding


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The options of one run."""

    targets: tuple[str, ...]
    host: bool
    against: Path | None
    files: bool
    deep: bool
    form: str
    as_json: bool
    fix: str | None
    config: Path
    stack: str
    verbose: bool
    quiet: bool


@click.command(
    "audit", short_help="Find what is wrong with an environment, a lock or this machine."
)
@click.argument("targets", metavar="[TARGET]...", nargs=-1)
@click.option("--host", is_flag=True, help="Check this machine too; without TARGET, it alone.")
@click.option(
    "--against",
    metavar="LOCK",
    type=click.Path(path_type=Path),
    help="Compare with a lock, file by file where its wheels are here.",
)
@click.option("--files", is_flag=True, help="Compare every installed file by hash.")
@click.option("--deep", is_flag=True, help="Start torch in a guarded process; ask what it loaded.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "sarif", "github"]),
    default="table",
    show_default=True,
    help="How to write the findings.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--fix",
    type=click.Choice(["pip", "uv"]),
    is_flag=False,
    flag_value="pip",
    help="Print a script that would mend it, with pip (the default) or uv; runs nothing.",
)
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path),
    default=Path("pyproject.toml"),
    show_default=True,
    help="Where [tool.rdna1-lock.audit] says what to ignore, and why.",
)
@click.option("--stack", default="rocm5.2", show_default=True, help="The stack that remedies name.")
@click.option(
    "-v", "--verbose", is_flag=True, help="Show why, symptom and sources of each finding."
)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors of the audit itself.")
def command(**arguments: Any) -> int:
    """Hold TARGET against the rules: an interpreter, an environment's folder, or a lock file.

    Without TARGET, the active environment. Reads pylock.toml, requirements.txt, uv.lock,
    poetry.lock, pdm.lock, Pipfile.lock and environment.yml. Exit status 1 if an error is found.
    """
    return _run(Asked(**arguments))


def _run(asked: Asked) -> int:
    from rdna1_lock.audit.environment import default_target
    from rdna1_lock.audit.report import findings_on, make_report
    from rdna1_lock.audit.suppress import read_suppressions
    from rdna1_lock.host.system import look_at_host
    from rdna1_lock.lock.place import lock_file, open_lock
    from rdna1_lock.rules import (
        load_gpus,
        load_known,
        load_rules,
        load_stack,
    )

    if asked.fix and (asked.as_json or asked.form != "table"):
        raise UsageError("options-clash", "--fix and --format do not go together")
    rules = load_rules()
    suppressions = read_suppressions(asked.config, rules)
    host: Host = look_at_host(load_gpus())
    targets = asked.targets or (() if asked.host else (default_target(),))
    subjects = [_subject(Path(target), asked) for target in targets]
    if asked.deep and not any(subject.installed for subject in subjects):
        raise UsageError("options-clash", "--deep starts an interpreter; name an environment")
    lock, wheels = open_lock(asked.against) if asked.against is not None else (None, Path())
    against = (lock, str(lock_file(asked.against).parent)) if lock and asked.against else None
    shared: dict[str, Any] = {
        "rules": rules,
        "stack": load_stack(asked.stack),
        "known": load_known(),
        "against": against,
    }
    found: list[Finding] = []
    for number, subject in enumerate(subjects):
        more: list[Finding] = []
        if asked.deep and subject.installed:
            from rdna1_lock.audit.deep import check_deep  # it runs processes

            more += check_deep(subject, rules)
        if lock is not None and subject.interpreter is not None:
            more += _against_files(subject, lock, wheels, rules)
        machine = asked.host and number == 0
        found += findings_on(subject, host, **shared, check_machine=machine, more=more)
    if asked.host and not subjects:
        found += findings_on(None, host, **shared, check_machine=True)
    names = [subject.label for subject in subjects] + (["this machine"] if asked.host else [])
    notes = [text for subject in subjects for text in subject.notes]
    report = make_report(names, found, suppressions, notes)
    return _print(report, asked)


def _subject(target: Path, asked: Asked) -> Subject:
    from rdna1_lock.audit.environment import look_at_environment
    from rdna1_lock.audit.lockfiles import is_lock_file, read_lock_file

    if target.is_dir() and (target / "pylock.toml").is_file() and not (target / "bin").is_dir():
        return read_lock_file(target / "pylock.toml")
    if target.is_file() and is_lock_file(target):
        return read_lock_file(target)
    if not target.exists() and "/" not in str(target):
        import shutil

        program = shutil.which(str(target))
        if program is not None:
            return look_at_environment(Path(program), files=asked.files)
    if not target.exists():
        raise InputError(
            "no-target",
            f"there is no {target}",
            hint="name an interpreter, an environment's folder, or a lock file",
        )
    if target.is_file() and not target.stat().st_mode & 0o111:
        return read_lock_file(target)
    return look_at_environment(target, files=asked.files)


def _against_files(subject: Subject, lock: Lock, wheels: Path, rules: RuleSet) -> list[Finding]:
    """Return R26 for files that differ from the locked wheels, where those are here."""
    from rdna1_lock.install.interpreter import probe
    from rdna1_lock.install.verify import compare
    from rdna1_lock.install.wheels import all_there, check_wheels
    from rdna1_lock.rules.finding import make_finding

    found = probe(str(subject.interpreter)) if all_there(lock, wheels) else None
    if found is None:
        return []
    check_wheels(lock, wheels)
    return [
        make_finding(
            rules.by_id["R26"],
            seen=f"{item.package}: {item.what} is {item.kind}",
            where=subject.label,
            commands=(("rdna1-lock", f"rdna1-lock sync {wheels.parent} --venv DIR"),),
        )
        for item in compare(lock, wheels, found)
        if item.kind in {"changed", "missing"} and "/" in item.what
    ]


def _print(report: Report, asked: Asked) -> int:
    from rdna1_lock.audit.formats import (
        to_github,
        to_json,
        to_sarif,
        to_script,
    )
    from rdna1_lock.rules.model import Severity

    status = Exit.NO if report.count(Severity.ERROR) else Exit.OK
    form = "json" if asked.as_json else asked.form
    if asked.fix:
        click.echo(to_script(report, asked.fix), nl=False)
        return status
    if asked.quiet:
        return status
    if form == "json":
        print_json(to_json(report))
    elif form == "sarif":
        click.echo(to_sarif(report), nl=False)
    elif form == "github":
        click.echo(to_github(report), nl=False)
    else:
        _table(report, asked)
    return status


def _table(report: Report, asked: Asked) -> None:
    from rdna1_lock.rules.model import Severity

    for item in report.findings:
        if item.severity is Severity.INFO and not asked.verbose:
            continue
        _finding(item, asked)
    advice = [item for item in report.findings if item.severity is Severity.INFO]
    if advice and not asked.verbose:
        click.echo("worth knowing (-v tells more)")
        for item in advice:
            click.echo(_filled(f"{item.rule} {item.seen}", "  ", "      "))
        click.echo("")
    numbers = {"error": report.count(Severity.ERROR), "warning": report.count(Severity.WARNING)}
    counts = ", ".join(f"{n} {word}{'' if n == 1 else 's'}" for word, n in numbers.items())
    aside = f", {len(report.suppressed)} set aside by {asked.config}" if report.suppressed else ""
    say(f"{', '.join(report.subjects)}: {counts}{aside}")
    for text in report.notes:
        note(text)


def _finding(item: Finding, asked: Asked) -> None:
    click.echo(f"{item.severity.value} {item.rule}: {item.title}")
    lines = [("seen", item.seen), ("where", item.where)]
    if asked.verbose:
        lines += [
            ("why", item.why),
            ("seen as", item.symptom),
            ("known", ", ".join(kind.value for kind in item.evidence)),
        ]
    lines.append(("do", item.remedy))
    for name, text in lines:
        click.echo(_filled(f"{name + ':':9}{text}", "  ", " " * 11))
    for tool, text in item.commands:
        # Never wrapped: it is there to be copied.
        click.echo(f"  {tool + ': ':9}{text}")
    if asked.verbose:
        for source in item.sources:
            click.echo(f"  source:  {source}")
    click.echo("")


def _filled(text: str, first: str, rest: str) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
