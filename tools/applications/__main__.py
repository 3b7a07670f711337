"""``python -m tools.applications``: probe what the locks hold, find the newest release that runs."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from rdna1_lock.rules import load_recipe, load_rules, recipe_ids
from tools.applications import records, releases, table
from tools.applications.index import rocm_index
from tools.applications.measure import (
    Outcome,
    allowances,
    build_wheel,
    measure,
    place,
)
from tools.downloads import downloads

if TYPE_CHECKING:
    from rdna1_lock.rules import Application
    from tools.applications.measure import Place


def main() -> int:
    arguments = _arguments()
    known = {record.package: record for record in load_rules().applications.all()}
    if arguments.table:
        table.write(known.values())
        return 0
    unknown = set(arguments.names) - set(known) - set(recipe_ids())
    if unknown:
        sys.exit(f"no record and no recipe: {', '.join(sorted(unknown))}")
    failed = []
    with rocm_index() as url:
        at = place(url, arguments.worker)
        for name in arguments.names or sorted(known):
            if name in known and known[name].probe is not None:
                record = known[name]
                good = _bisect(at, record) if arguments.bisect else _probe(at, record, arguments)
            elif name in recipe_ids():
                good = _recipe(at, name)
            else:
                continue
            failed += [] if good else [name]
    if arguments.write:
        table.write(load_rules().applications.all())
    print(f"failed: {', '.join(failed)}" if failed else "all probes passed")
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.applications", description=__doc__)
    parser.add_argument("names", nargs="*", help="packages or recipes; all packages by default")
    parser.add_argument("--bisect", action="store_true", help="find the newest release that works")
    parser.add_argument("--write", action="store_true", help="write what came of it, and the table")
    parser.add_argument("--table", action="store_true", help="write the table alone")
    parser.add_argument("--release", metavar="X.Y", help="this release, whatever is known of it")
    parser.add_argument("--draft", action="store_true", help="draw a bound from what fails")
    parser.add_argument("--worker", default="0", help="the environment of this name")
    return parser.parse_args()


def _probe(at: Place, record: Application, arguments: argparse.Namespace) -> bool:
    """Probe the release that is locked, or the one that is named."""
    outcome, version = _measure(at, record, arguments.release)
    if arguments.write and version is not None:
        fresh = _described(at, _current(record), arguments.release is None)
        fresh = records.with_outcome(fresh, version, outcome, _today())
        records.write(records.with_draft(fresh, _today()) if arguments.draft else fresh)
    return outcome.works


def _bisect(at: Place, record: Application) -> bool:
    """Find the newest release that works, between one that does and the newest there is."""
    candidates = releases.releases(record.package)
    works = {v for run in record.runs for v in (*run.works, *run.partly)}
    fails = {v for run in record.runs for v in run.fails}
    low = max((n for n, v in enumerate(candidates) if v in works), default=-1)
    above = [n for n, v in enumerate(candidates) if v in fails and n > low]
    high = min(above, default=len(candidates))
    step = high - 1 if high == len(candidates) else (low + high) // 2
    while low + 1 < high:
        version = str(candidates[step])
        outcome, measured = _measure(at, record, version)
        if measured is None:
            # It cannot be locked at all: it is no answer to either question.
            candidates.pop(step)
            high -= 1
        else:
            fresh = records.with_outcome(_current(record), version, outcome, _today())
            records.write(records.with_draft(fresh, _today()))
            low, high = (step, high) if outcome.works else (low, step)
        step = (low + high) // 2
    newest = candidates[low] if low >= 0 else None
    print(f"{record.package}: the newest that works is {newest}")
    return newest is not None


def _measure(at: Place, record: Application, release: str | None) -> tuple[Outcome, str | None]:
    """Return what came of a release, and its version; None where there was no environment."""
    for requirement in record.built:
        build_wheel(requirement)
    wanted = record.package if release is None else f"{record.package}=={release}"
    options = [] if release is None else allowances(record.package)
    requirements = ["torch", wanted, *record.probe_with]
    outcome = measure(at, requirements, record.probe or "", *options)
    version = (outcome.versions or {}).get(record.package)
    _tell(f"{record.package} {version or release or ''}", outcome)
    return outcome, version if outcome.locked else None


def _recipe(at: Place, name: str) -> bool:
    recipe = load_recipe(name)
    if recipe.probe is None:
        print(f"{name}: not run: {recipe.not_run}")
        return True
    for requirement in recipe.built:
        build_wheel(requirement)
    outcome = measure(at, ["--for", name], recipe.probe)
    _tell(f"recipe {name}", outcome)
    return outcome.works


def _tell(what: str, outcome: Outcome) -> None:
    if not outcome.locked:
        print(f"{what}: not measured: {outcome.error}", flush=True)
        return
    kind = "works" if outcome.works else "FAILS"
    partly = f", but for {', '.join(outcome.partly)}" if outcome.partly else ""
    error = f": {outcome.error}" if outcome.error else ""
    print(f"{what}: {kind}{partly}{error}", flush=True)
    with (downloads("applications") / "log.txt").open("a") as log:
        log.write(f"{_today()} {what}: {outcome}\n")


def _described(at: Place, record: Application, locked: bool) -> Application:
    """Bring up to date what the release declares, and what uv would take."""
    if not locked:
        return record
    return replace(
        record,
        declared=releases.declared(at.python, record.package),
        uv=releases.locked_by_uv(record.package),
    )


def _current(record: Application) -> Application:
    """Read a record again: an earlier step may have written it."""
    return load_rules().applications.of(record.package) or record


def _today() -> str:
    return dt.datetime.now(tz=dt.timezone.utc).date().isoformat()


if __name__ == "__main__":
    raise SystemExit(main())
