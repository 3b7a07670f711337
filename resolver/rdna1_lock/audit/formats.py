"""Reports as data and text for other programs: JSON, SARIF 2.1.0, GitHub's annotations, a script."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from rdna1_lock import __version__
from rdna1_lock.rules.model import Severity

if TYPE_CHECKING:
    from rdna1_lock.audit.report import Report
    from rdna1_lock.rules.finding import Finding

LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
GITHUB = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_PLACE = re.compile(r"^(?P<file>[^\s:]+)(?::(?P<line>\d+))?$")


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
        "where": item.where,
        "why": item.why,
        "symptom": item.symptom,
        "remedy": item.remedy,
        "commands": [{"tool": tool, "command": command} for tool, command in item.commands],
        "evidence": [kind.value for kind in item.evidence],
        "sources": list(item.sources),
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
    commands = "".join(f"\n{tool}: {command}" for tool, command in item.commands)
    return {
        "ruleId": item.rule,
        "ruleIndex": order.index(item.rule),
        "level": LEVELS[item.severity],
        "message": {"text": f"{item.seen}\n{item.remedy}{commands}"},
        "locations": [_location(item.where)],
    }


def _location(where: str) -> dict[str, Any]:
    """Write a place: a file with its line, else a name such as ``variables``."""
    match = _PLACE.match(where)
    if match is None or ("/" not in where and "." not in where):
        return {"logicalLocations": [{"name": where}]}
    physical: dict[str, Any] = {"artifactLocation": {"uri": match["file"]}}
    if match["line"]:
        physical["region"] = {"startLine": int(match["line"])}
    return {"physicalLocation": physical}


def to_github(report: Report) -> str:
    """Return workflow commands, which GitHub shows beside the lines that they name."""
    lines = []
    for item in report.findings:
        properties = {"title": f"{item.rule} {item.title}"}
        match = _PLACE.match(item.where)
        if match is not None and "." in item.where:
            properties["file"] = match["file"]
            if match["line"]:
                properties["line"] = match["line"]
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
    for item in report.findings:
        if item.severity is Severity.INFO:
            continue
        lines += ["", f"# {item.rule}: {_one_line(item.seen)}"]
        usable = [command for name, command in item.commands if name in {tool, "shell"}]
        if not usable:
            lines.append(f"#   by hand: {_one_line(item.remedy)}")
            lines += [f"#   {name}: {_one_line(command)}" for name, command in item.commands]
        for command in usable:
            outside = command.startswith(("sudo ", "export ", "unset "))
            if command in done:
                lines.append("# (done above)")
            elif outside:
                lines.append(f"#   in your own shell: {command}")
            else:
                lines.append(command)
            done.add(command)
    if len(lines) == 4:
        lines += ["", "# There is nothing to mend."]
    return "\n".join(lines) + "\n"


def _one_line(text: str) -> str:
    return " ".join(text.split())
