"""What people run on these cards, ready to lock: ``constraints/recipes/``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdna1_lock.errors import UsageError
from rdna1_lock.rules.entry import read_entry
from rdna1_lock.rules.location import constraints_dir

if TYPE_CHECKING:
    from pathlib import Path

    from rdna1_lock.rules.model import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Requirements that go together, and what its probe shows.

    ``built`` are requirements of others that have no wheel: one is to be built before locking.
    ``left_out`` says what the probe does without: weights, tokenizers. ``not_run`` says why there
    is no probe.
    """

    id: str
    title: str
    stack: str
    requirements: tuple[str, ...]
    constraints: tuple[str, ...]
    built: tuple[str, ...]
    probe: str | None
    shows: str | None
    left_out: str | None
    not_run: str | None
    evidence: tuple[Evidence, ...]
    date: str
    sources: tuple[str, ...]


def recipe_ids(folder: Path | None = None) -> tuple[str, ...]:
    """Return the names of all recipes."""
    return tuple(sorted(path.stem for path in _folder(folder).glob("*.toml")))


def load_recipe(name: str, folder: Path | None = None) -> Recipe:
    """Read one recipe.

    Raises:
        UsageError: when there is none of this name.

    """
    if name not in recipe_ids(folder):
        raise UsageError(
            "unknown-recipe",
            f"there is no recipe `{name}`",
            hint=f"choose one of {', '.join(recipe_ids(folder))}",
        )
    entry = read_entry(_folder(folder) / f"{name}.toml")
    if entry.text("id") != name:
        raise entry.error("`id` is not the name of the file")
    recipe = Recipe(
        id=name,
        title=entry.text("title"),
        stack=entry.text("stack"),
        requirements=entry.texts("requirements"),
        constraints=entry.texts("constraints", required=False),
        built=entry.texts("built", required=False),
        probe=entry.optional("probe"),
        shows=entry.optional("shows"),
        left_out=entry.optional("left-out"),
        not_run=entry.optional("not-run"),
        evidence=entry.evidence(),
        date=entry.date(),
        sources=entry.texts("sources"),
    )
    entry.done()
    if (recipe.probe is None) is (recipe.not_run is None):
        raise entry.error("one of `probe` and `not-run` must be given")
    return recipe


def _folder(folder: Path | None) -> Path:
    return (folder or constraints_dir()) / "recipes"
