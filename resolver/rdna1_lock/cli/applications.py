"""What ``rules`` prints of measured packages and of recipes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rdna1_lock.cli.render import print_rows, show
from rdna1_lock.model import specifier_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rdna1_lock.rules import Application, Fact, Recipe


def print_application(record: Application) -> None:
    """Print a package: what was run, and the facts that follow."""
    show(f"{record.package}  beside torch")
    rows = [("declares", record.declared)]
    for run in record.runs:
        rows.append(("run", f"{run.ran} (torch {run.torch}, Python {run.python}, {run.date})"))
        for label, versions in (
            ("works", run.works),
            ("in part", run.partly),
            ("fails", run.fails),
        ):
            if versions:
                rows.append((label, ", ".join(map(str, versions))))
        if run.error:
            rows.append(("error", run.error))
    for fact in record.facts:
        rows.append(("fact", f"{fact.id}: {_bound(fact)}"))
        rows.append(("why", fact.why))
        if fact.remedy:
            rows.append(("remedy", fact.remedy))
        rows.append(("evidence", f"{', '.join(e.value for e in fact.evidence)} ({fact.date})"))
        rows += [("source", source) for source in fact.sources]
    print_rows(rows)


def _bound(fact: Fact) -> str:
    which = f"{fact.package}{specifier_text(fact.releases)}"
    if fact.despite_extra:
        return f"{which} runs, whatever its extra asks for"
    needs = "a CUDA build of torch" if fact.cuda else f"{fact.on} {specifier_text(fact.specifier)}"
    part = f"; without it fails only {fact.part}" if fact.part else ""
    return f"{which} needs {needs}{part}"


def print_recipes(recipes: Iterable[Recipe]) -> None:
    """Print a line for each recipe."""
    show("Recipes            stack         title")
    for recipe in recipes:
        show(f"  {recipe.id:16} {recipe.stack:13} {recipe.title}")
    show("\n`rdna1-lock rules RECIPE` shows one, `rdna1-lock resolve --for RECIPE` locks it.")


def print_recipe(recipe: Recipe) -> None:
    """Print one recipe in full."""
    show(f"{recipe.id}  {recipe.title}")
    rows = [("stack", recipe.stack), ("locks", ", ".join(recipe.requirements))]
    if recipe.constraints:
        rows.append(("bounds", ", ".join(recipe.constraints)))
    if recipe.built:
        rows.append(("build", f"first the wheels of {', '.join(recipe.built)}: the index has none"))
    rows.append(("probe", recipe.shows or f"not run: {recipe.not_run}"))
    if recipe.left_out:
        rows.append(("left out", recipe.left_out))
    rows.append(("evidence", f"{', '.join(e.value for e in recipe.evidence)} ({recipe.date})"))
    rows += [("source", source) for source in recipe.sources]
    print_rows(rows)


def application_json(record: Application) -> dict[str, Any]:
    """Return a measured package as JSON has it."""
    return {
        "package": record.package,
        "declared": record.declared,
        "probe": record.probe,
        "runs": [
            {
                "torch": run.torch,
                "python": run.python,
                "date": run.date,
                "ran": run.ran,
                "works": list(map(str, run.works)),
                "partly": list(map(str, run.partly)),
                "fails": list(map(str, run.fails)),
                "error": run.error,
            }
            for run in record.runs
        ],
        "facts": [
            {
                "id": fact.id,
                "releases": str(fact.releases),
                "on": fact.on,
                "specifier": str(fact.specifier),
                "cuda": fact.cuda,
                "despite-extra": fact.despite_extra,
                "part": fact.part,
                "why": fact.why,
                "remedy": fact.remedy,
                "evidence": [kind.value for kind in fact.evidence],
                "date": fact.date,
                "sources": list(fact.sources),
            }
            for fact in record.facts
        ],
    }


def recipe_json(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe as JSON has it."""
    return {
        "id": recipe.id,
        "title": recipe.title,
        "stack": recipe.stack,
        "requirements": list(recipe.requirements),
        "constraints": list(recipe.constraints),
        "built": list(recipe.built),
        "probe": recipe.probe,
        "shows": recipe.shows,
        "left-out": recipe.left_out,
        "not-run": recipe.not_run,
        "evidence": [kind.value for kind in recipe.evidence],
        "date": recipe.date,
        "sources": list(recipe.sources),
    }
