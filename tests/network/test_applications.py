"""Recipes, and packages that declare less than they need, as they are locked, with the real torch."""

from __future__ import annotations

import os

import pytest

from rdna1_lock.rules import load_recipe, load_rules, recipe_ids
from tools.applications.index import rocm_index
from tools.applications.measure import build_wheel, measure, place
from tools.downloads import downloads

pytestmark = [pytest.mark.network, pytest.mark.torch, pytest.mark.slow]
# What a lock would break, were it not for a fact; the rest takes RDNA1_LOCK_ALL.
NAMED = {
    *("transformers", "diffusers", "fastai", "lightning", "sentence-transformers"),
    *("x-transformers", "clip-anytorch", "compel", "tensorboard"),
}
# Their probes run in a recipe.
IN_RECIPES = {"diffusers", "lightning", "sentence-transformers"}
EVERYTHING = bool(os.environ.get("RDNA1_LOCK_ALL"))
RECORDS = {record.package: record for record in load_rules().applications.all() if record.probe}
CHOSEN = sorted(RECORDS if EVERYTHING else NAMED - IN_RECIPES)


@pytest.fixture(scope="module")
def at():
    with rocm_index() as url:
        yield place(url, "tests")


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RDNA1_LOCK_CACHE_DIR", str(downloads("applications-cache")))


@pytest.mark.parametrize("name", recipe_ids())
def test_a_recipe_runs_as_it_is_locked(name, at):
    recipe = load_recipe(name)
    if recipe.probe is None:
        pytest.skip(recipe.not_run or "")
    for requirement in recipe.built:
        build_wheel(requirement)
    outcome = measure(at, ["--for", name], recipe.probe)
    assert outcome.works, outcome.error
    assert not outcome.partly, outcome.error


@pytest.mark.parametrize("package", CHOSEN)
def test_a_package_runs_as_it_is_locked(package, at):
    record = RECORDS[package]
    for requirement in record.built:
        build_wheel(requirement)
    outcome = measure(at, ["torch", package, *record.probe_with], record.probe)
    assert outcome.works, outcome.error
    # A part may fail only where a fact says so.
    parts = {fact.part for fact in record.facts if fact.part}
    assert set(outcome.partly) <= parts, outcome.error
