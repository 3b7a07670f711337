"""Reports for other programs: JSON, SARIF 2.1.0, GitHub's annotations, a shell script."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from rdna1_lock import __version__
from rdna1_lock.rules.model import Severity

if TYPE_CHECKING:
    from rdna1_lock.audit.report import Report
    from rdna1_lock.rules.finding import Finding, Place

LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
GITHUB = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
# What a script must not do by itself: it needs a password, or changes only its own shell.
BY_HAND = ("sudo ", "export ", "unset ")


def to_json(report: Report) -> dict[str, Any]:
    """Return the object that ``--json`` prints."""
    return {
        "command": "audit",
        "subjects": list(report.subjects),
        "errors": report.count(Severity.ERROR),
        "warnings": report.count(Severity.WARNING),
        "findings": [_finding(item) for item in report.findings],
        "suppressed": [{**_finding(item), "reason": reason} for item, reason in report.suppressed],
        "notes": list(report.notes),
    }


def _finding(item: Finding) -> dict[str, Any]:
    return {
        "rule": item.rule,
        "severity": item.severity.value,
        "title": item.title,
        "seen": item.seen,
        "where": item.where.text,
        "place": _place(item.where),
        "why": item.why,
        "symptom": item.symptom,
        "remedy": item.remedy,
        "commands": [{"tool": command.tool, "command": command.line} for command in item.commands],
        "evidence": [kind.value for kind in item.evidence],
        "sources": list(item.sources),
    }


def _place(place: Place) -> dict[str, Any]:
    return {
        "file": place.file,
        "line": place.line,
        "package": place.package,
        "path": place.path,
        "variable": place.variable,
    }


def to_sarif(report: Report) -> str:
    """Return a SARIF log with one run; suppressed findings are in it, marked as such."""
    everything = [*report.findings, *(item for item, _ in report.suppressed)]
    rules = {item.rule: item for item in everything}
    order = sorted(rules)
    results = [_result(item, order) for item in report.findings]
    for item, reason in report.suppressed:
        marked = _result(item, order)
        marked["suppressions"] = [{"kind": "external", "justification": reason}]
        results.append(marked)
    driver = {
        "name": "rdna1-lock",
        "version": __version__,
        "rules": [_rule(rules[name]) for name in order],
    }
    log = {
        "$schema": SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _rule(item: Finding) -> dict[str, Any]:
    web = [source for source in item.sources if source.startswith("https://")]
    described: dict[str, Any] = {
        "id": item.rule,
        "shortDescription": {"text": item.title},
        "fullDescription": {"text": item.why},
        "help": {"text": f"{item.remedy}\n\nSeen as: {item.symptom}"},
        "properties": {"evidence": [kind.value for kind in item.evidence]},
    }
    return {**described, "helpUri": web[0]} if web else described


def _result(item: Finding, order: list[str]) -> dict[str, Any]:
    commands = "".join(f"\n{command.tool}: {command.line}" for command in item.commands)
    return {
        "ruleId": item.rule,
        "ruleIndex": order.index(item.rule),
        "level": LEVELS[item.severity],
        "message": {"text": f"{item.seen}\n{item.remedy}{commands}"},
        "locations": [_location(item.where)],
    }


def _location(place: Place) -> dict[str, Any]:
    """Write a place: a file with its line, another path, or a name such as ``variables``."""
    path = place.file or place.path
    if path is None:
        return {"logicalLocations": [{"name": place.text}]}
    # SARIF 2.1.0, 3.4.3: `uri` is a URI reference (RFC 3986), in which a space is %20.
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(path)}}
    if place.line is not None:
        physical["region"] = {"startLine": place.line}
    return {"physicalLocation": physical}


def to_github(report: Report) -> str:
    """Return workflow commands, which GitHub shows at the lines that they name."""
    lines = []
    for item in report.findings:
        properties = {"title": f"{item.rule} {item.title}"}
        path = item.where.file or item.where.path
        if path is not None:
            properties["file"] = path
        if item.where.line is not None:
            properties["line"] = str(item.where.line)
        listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
        message = _data(f"{item.seen}\n{item.remedy}")
        lines.append(f"::{GITHUB[item.severity]} {listed}::{message}")
    return "".join(f"{line}\n" for line in lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def to_script(report: Report, tool: str) -> str:
    """Return one shell script that would mend what was found; what needs a person is a comment.

    ``tool`` is ``pip`` or ``uv``. Each command stands once, in the order in which things block.
    """
    lines = [
        "#!/bin/sh",
        f"# What `rdna1-lock audit` would do about {', '.join(report.subjects) or 'this machine'}.",
        "# Read it before you run it.",
        "set -eu",
    ]
    done: set[str] = set()
    mendable = [item for item in report.findings if item.severity is not Severity.INFO]
    for item in mendable:
        lines += ["", f"# {item.rule}: {_one_line(item.seen)}", *_steps(item, tool, done)]
    if not mendable:
        lines += ["", "# There is nothing to mend."]
    return "\n".join(lines) + "\n"


def _steps(item: Finding, tool: str, done: set[str]) -> list[str]:
    """Return the lines for one finding; ``done`` are the commands that stand above."""
    usable = [command.line for command in item.commands if command.tool in {tool, "shell"}]
    if not usable:
        return [
            f"#   by hand: {_one_line(item.remedy)}",
            *(f"#   {command.tool}: {_one_line(command.line)}" for command in item.commands),
        ]
    lines = []
    for line in usable:
        if line in done:
            lines.append("# (done above)")
        else:
            lines.append(f"#   in your own shell: {line}" if line.startswith(BY_HAND) else line)
        done.add(line)
    return lines


def _one_line(text: str) -> str:
    return " ".join(text.split())
