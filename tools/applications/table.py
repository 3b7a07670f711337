"""docs/applications.md: the table of all records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tools.applications.releases import uv_version

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.version import Version

    from rdna1_lock.rules import Application

PAGE = Path(__file__).parents[2] / "docs" / "applications.md"
START, END = "<!-- table: make applications -->", "<!-- end of the table -->"


def write(known: Iterable[Application]) -> None:
    """Put the table into the page; the text around it stays."""
    before, _, rest = PAGE.read_text().partition(START)
    after = rest.partition(END)[2]
    PAGE.write_text(before + START + "\n" + "\n".join(rows(known)) + "\n" + END + after)


def rows(known: Iterable[Application]) -> Iterable[str]:
    uv = uv_version()
    yield f"| package | declares | runs | fails from | how | what ran | uv {uv} locks |"
    yield "|---|---|---|---|---|---|---|"
    for record in sorted(known, key=lambda record: record.package):
        yield f"| {' | '.join(_cells(record))} |"


def _cells(record: Application) -> Iterable[str]:
    works = newest(record)
    fails = _first_failing(record, works)
    yield f"`{record.package}`"
    yield _safe(record.declared)
    cuda = any(fact.cuda for fact in record.facts)
    yield str(works) if works else "none: it needs CUDA" if cuda else "none" if fails else "not run"
    yield str(fails) if fails is not None else ""
    yield _safe("; ".join(dict.fromkeys(_how(record))))
    yield _safe(
        "; ".join(dict.fromkeys(f"{run.ran} ({_by(run.by)} {run.date})" for run in record.runs))
    )
    yield record.uv or ""


def _by(who: str) -> str:
    return "study" if who == "study" else "measured"


def newest(record: Application) -> Version | None:
    """Return the newest release that runs as a whole."""
    found = [v for run in record.runs for v in run.works]
    return max(found or [v for run in record.runs for v in run.partly], default=None)


def _first_failing(record: Application, works: Version | None) -> Version | None:
    failing = [v for run in record.runs for v in (*run.fails, *run.partly)]
    return min((v for v in failing if works is None or v > works), default=None)


def _how(record: Application) -> Iterable[str]:
    """Yield the errors, and what is locked with the package."""
    for run in record.runs:
        if run.error:
            yield run.error
    for fact in record.facts:
        if fact.on != "<torch>":
            why = f" for {fact.part}" if fact.part else ""
            yield f"{record.package}{fact.releases} needs {fact.on}{fact.specifier}{why}, undeclared"


def _safe(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())
