"""``rdna1-lock audit``: what is wrong with an environment, a lock file or this machine."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rdna1_lock.cli.render import WIDTH, data, note, print_json, say, show
from rdna1_lock.errors import Exit, UsageError

if TYPE_CHECKING:
    from rdna1_lock.audit.report import Report
    from rdna1_lock.rules.finding import Finding


@dataclass(frozen=True, kw_only=True)
class Shown:
    """How the report is printed; ``config`` is named where it sets findings aside."""

    form: str
    fix: str | None
    config: Path
    verbose: bool
    quiet: bool


@click.command(
    "audit", short_help="Find what is wrong with an environment, a lock or this machine."
)
@click.argument("targets", metavar="[TARGET]...", nargs=-1)
@click.option(
    "--host", is_flag=True, help="Check this machine too; without TARGET, only the machine."
)
@click.option(
    "--against",
    metavar="LOCK",
    type=click.Path(path_type=Path),
    help="Compare with a lock, file by file if its wheels are present.",
)
@click.option("--files", is_flag=True, help="Compare every installed file by hash.")
@click.option(
    "--deep", is_flag=True, help="Start torch in a guarded process and check what it loaded."
)
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
    help="Print a script of the remedies, for pip (the default) or uv; nothing is run.",
)
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path),
    default=Path("pyproject.toml"),
    show_default=True,
    help="The file with [tool.rdna1-lock.audit], which says what to ignore, and why.",
)
@click.option("--stack", default="rocm5.2", show_default=True, help="The stack that remedies name.")
@click.option(
    "-v", "--verbose", is_flag=True, help="Show why, symptom and sources of each finding."
)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors of the audit itself.")
def command(
    as_json: bool, form: str, fix: str | None, verbose: bool, quiet: bool, **request: Any
) -> int:
    """Hold TARGET against the rules: an interpreter, an environment's folder, or a lock file.

    Without TARGET, the active environment. Reads pylock.toml, requirements.txt, uv.lock,
    poetry.lock, pdm.lock, Pipfile.lock and environment.yml. Exit status 1 if an error is found.
    """
    from rdna1_lock.tasks.audit import AuditRequest, audit
    from rdna1_lock.tasks.context import Context

    form = "json" if as_json else form
    if fix and form != "table":
        raise UsageError("options-clash", "--fix and --format exclude each other")
    asked = AuditRequest(**request)
    shown = Shown(form=form, fix=fix, config=asked.config, verbose=verbose, quiet=quiet)
    return _print(audit(asked, Context()), shown)


def _print(report: Report, shown: Shown) -> int:
    from rdna1_lock.audit.formats import to_github, to_json, to_sarif, to_script
    from rdna1_lock.rules.model import Severity

    if shown.fix:
        data(to_script(report, shown.fix))
    elif shown.quiet:
        pass
    elif shown.form == "json":
        print_json(to_json(report))
    elif shown.form == "sarif":
        data(to_sarif(report))
    elif shown.form == "github":
        data(to_github(report))
    else:
        _table(report, shown)
    return Exit.NO if report.count(Severity.ERROR) else Exit.OK


def _table(report: Report, shown: Shown) -> None:
    from rdna1_lock.rules.model import Severity

    advice = [item for item in report.findings if item.severity is Severity.INFO]
    for item in report.findings:
        if shown.verbose or item not in advice:
            _finding(item, verbose=shown.verbose)
    if not shown.verbose:
        _advice(advice)
    errors, warnings = report.count(Severity.ERROR), report.count(Severity.WARNING)
    counts = f"{_counted(errors, 'error')}, {_counted(warnings, 'warning')}"
    aside = f", {len(report.suppressed)} set aside by {shown.config}" if report.suppressed else ""
    say(f"{', '.join(report.subjects)}: {counts}{aside}")
    for text in report.notes:
        note(text)


def _advice(findings: list[Finding]) -> None:
    if findings:
        show("worth knowing (-v shows more)")
        for item in findings:
            show(_filled(f"{item.rule} {item.seen}", "  ", "      "))
        show("")


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _finding(item: Finding, *, verbose: bool) -> None:
    show(f"{item.severity.value} {item.rule}: {item.title}")
    lines = [("seen", item.seen), ("where", item.where.text)]
    if verbose:
        lines += [
            ("why", item.why),
            ("seen as", item.symptom),
            ("known", ", ".join(kind.value for kind in item.evidence)),
        ]
    lines.append(("do", item.remedy))
    for name, text in lines:
        show(_filled(f"{name + ':':9}{text}", "  ", " " * 11))
    for command in item.commands:
        # Never wrapped: it is there to be copied.
        show(f"  {command.tool + ': ':9}{command.line}")
    if verbose:
        for source in item.sources:
            show(f"  source:  {source}")
    show("")


def _filled(text: str, first: str, rest: str) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
