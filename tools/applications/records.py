"""Records of constraints/applications: written by measuring, one form for all."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from rdna1_lock.rules.applications import TORCH, Application, Fact, Run, contradictions
from rdna1_lock.rules.location import constraints_dir
from rdna1_lock.rules.model import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tools.applications.measure import Outcome

FOLDER = constraints_dir() / "applications"
TORCH_VERSION = "1.13.1"
PYTHON = "3.10"
BY = "make applications"


def write(record: Application) -> bool:
    """Write a record; one whose bounds and runs contradict each other is left to people."""
    troubles = list(contradictions(record))
    for trouble in troubles:
        print(f"  {record.package} is not written: {trouble}")
    if not troubles:
        (FOLDER / f"{record.package}.toml").write_text(text_of(record))
    return not troubles


def with_outcome(record: Application, version: str, outcome: Outcome, date: str) -> Application:
    """Return a record with one more measurement; an older one of this release gives way."""
    measured = Version(version)
    own = next((run for run in record.runs if run.by == BY and run.torch == TORCH_VERSION), None)
    run = own or Run(torch=TORCH_VERSION, python=PYTHON, date=date, by=BY, ran="")
    works, partly, fails = (
        [one for one in versions if one != measured]
        for versions in (run.works, run.partly, run.fails)
    )
    kind = fails if not outcome.works else partly if outcome.partly else works
    kind.append(measured)
    run = replace(
        run,
        date=date,
        ran=", ".join(outcome.ran) or run.ran or "the import",
        works=tuple(sorted(works)),
        partly=tuple(sorted(partly)),
        fails=tuple(sorted(fails)),
        error=_first_error(run, version, outcome) if fails or partly else None,
    )
    if not outcome.works and own is not None and own.works:
        run = replace(run, ran=own.ran)
    others = tuple(one for one in record.runs if one is not own)
    return replace(record, runs=(*others, run))


def _first_error(run: Run, version: str, outcome: Outcome) -> str | None:
    """Return the error of the oldest release that fails, with its version."""
    if outcome.error is None:
        return run.error
    known = run.error.partition(":")[0] if run.error else None
    if known is not None and Version(known) < Version(version):
        return run.error
    return f"{version}: {outcome.error}"


def with_draft(record: Application, date: str) -> Application:
    """Draw a bound from failures that no fact is about yet; it is to be looked at."""
    failing = sorted({v for run in record.runs for v in run.fails})
    covered = [fact for fact in record.facts if fact.part is None and not fact.despite_extra]
    open_ones = [v for v in failing if not any(fact.concerns(v) for fact in covered)]
    if not open_ones or any(fact.id.endswith("-torch") for fact in record.facts):
        return record
    error = next((run.error for run in record.runs if run.error and run.fails), "it fails")
    fact = Fact(
        id=f"A-{record.package}-torch",
        package=record.package,
        releases=SpecifierSet(f">={open_ones[0]}"),
        on=TORCH,
        specifier=SpecifierSet(">=2.0"),
        why=f"It fails with torch {TORCH_VERSION}: {error}",
        evidence=(Evidence.REPRODUCED, Evidence.INFERRED),
        date=date,
        sources=(f"{record.package} with torch {TORCH_VERSION} on CPython {PYTHON}, run on a CPU",),
    )
    print(f"  drafted {fact.id}: {record.package}{fact.releases} needs torch{fact.specifier}")
    return replace(record, facts=(*record.facts, fact))


def text_of(record: Application) -> str:
    """Return the TOML of a record."""
    lines = ["schema = 1", *_line("package", record.package), *_line("declared", record.declared)]
    lines += _line("probe", record.probe)
    lines += _line("probe-with", record.probe_with)
    lines += _line("built", record.built)
    lines += _line("uv", record.uv)
    for run in record.runs:
        lines += ["", "[[runs]]", *_run(run)]
    for fact in record.facts:
        lines += ["", "[[facts]]", *_fact(fact)]
    return "\n".join(lines) + "\n"


def _run(run: Run) -> Iterable[str]:
    yield from _line("torch", run.torch)
    yield from _line("python", run.python)
    yield from _line("date", run.date)
    yield from _line("by", run.by)
    yield from _line("ran", run.ran)
    yield from _line("works", run.works)
    yield from _line("partly", run.partly)
    yield from _line("fails", run.fails)
    yield from _line("error", run.error)


def _fact(fact: Fact) -> Iterable[str]:
    yield from _line("id", fact.id)
    yield from _line("releases", _specifier(fact.releases))
    if fact.cuda:
        yield "cuda = true"
    elif fact.despite_extra:
        yield "despite-extra = true"
    else:
        yield from _line("on", fact.on)
        yield from _line("specifier", _specifier(fact.specifier))
    yield from _line("part", fact.part)
    yield from _line("why", fact.why)
    yield from _line("remedy", fact.remedy)
    yield from _line("evidence", [kind.value for kind in fact.evidence])
    yield from _line("date", fact.date)
    yield from _line("sources", fact.sources)


def _specifier(specifiers: SpecifierSet) -> str:
    """Write the lower bound first."""
    return ",".join(sorted(map(str, specifiers), key=lambda text: (text[0] == "<", text)))


def _line(key: str, value: object) -> list[str]:
    """Return ``key = value``; what is empty is left out."""
    if isinstance(value, (list, tuple)):
        texts = ", ".join(_quoted(str(item)) for item in value)
        return [f"{key} = [{texts}]"] if value else []
    return [] if value is None else [f"{key} = {_quoted(str(value))}"]


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
