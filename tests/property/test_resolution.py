"""Laws of the search, on random universes small enough to try every combination."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.version import Version
from resolvelib import ResolutionImpossible

from rdna1_lock.errors import NoSolutionError
from rdna1_lock.resolution.exhaustive import Exhaustive
from rdna1_lock.resolution.finder import Finder
from rdna1_lock.resolution.provider import Provider
from rdna1_lock.resolution.resolve import resolve
from support.memory import RULES, Universe, make_request, make_sources

NAMES = ["a", "b", "c", "d"]
VERSIONS = ["1", "2", "3"]
SPECIFIERS = ["", "==1", "==2", "==3", "<2", "<3", ">=2", ">1", "!=2", ">=1,<3"]

requirements = st.builds(
    lambda name, spec: name + spec, st.sampled_from(NAMES), st.sampled_from(SPECIFIERS)
)
universes = st.dictionaries(
    st.sampled_from(NAMES),
    st.dictionaries(st.sampled_from(VERSIONS), st.lists(requirements, max_size=2), min_size=1),
    min_size=1,
)


def solutions(universe: Universe, asked: list[str]) -> list[dict[str, str]]:
    """Try every choice of at most one version a project."""
    found = []
    options = [[None, *universe.get(name, {})] for name in NAMES]
    for choice in itertools.product(*options):
        pins = {name: version for name, version in zip(NAMES, choice, strict=True) if version}
        if all(meets(text, pins) for text in asked) and all(
            meets(text, pins) for name, version in pins.items() for text in universe[name][version]
        ):
            found.append(pins)
    return found


def meets(text: str, pins: dict[str, str]) -> bool:
    requirement = Requirement(text)
    return requirement.name in pins and requirement.specifier.contains(pins[requirement.name])


def pinned(universe: Universe, asked: list[str]) -> dict[str, str] | None:
    try:
        found = resolve(make_request(asked), make_sources(universe), RULES)
    except NoSolutionError as error:
        if not error.facts:
            raise AssertionError("a refusal has its reasons") from error
        return None
    return {pin.wheel.name: str(pin.wheel.version) for pin in found.pins}


@settings(max_examples=600)
@given(universe=universes, asked=st.lists(requirements, min_size=1, max_size=3))
def test_finds_a_solution_exactly_where_there_is_one(universe, asked):
    every = solutions(universe, asked)
    pins = pinned(universe, asked)
    if pins is None:
        assert not every
    else:
        assert pins in every


@settings(max_examples=300)
@given(universe=universes, asked=st.lists(requirements, min_size=1, max_size=3))
def test_the_last_resort_is_complete_by_itself(universe, asked):
    request = make_request(asked)
    provider = Provider(Finder(make_sources(universe), request, RULES), request, RULES)
    every = solutions(universe, asked)
    try:
        pins = Exhaustive(provider, 100_000).search(provider.demands.roots())
    except ResolutionImpossible as error:
        if every or not error.causes:
            raise AssertionError(every) from error
        return
    assert {name: str(candidate.version) for name, candidate in pins.items()} in every


@settings(max_examples=100)
@given(universe=universes, asked=st.lists(requirements, min_size=1, max_size=3), data=st.data())
def test_order_of_input_never_matters(universe, asked, data):
    shuffled = data.draw(st.permutations(asked))
    backwards = {
        name: dict(reversed(list(versions.items())))
        for name, versions in reversed(list(universe.items()))
    }
    assert pinned(universe, asked) == pinned(backwards, shuffled)


@settings(max_examples=100)
@given(universe=universes, asked=st.lists(requirements, min_size=1, max_size=3))
def test_nothing_is_locked_that_nobody_needs(universe, asked):
    pins = pinned(universe, asked)
    if pins is None:
        return
    needed = {Requirement(text).name for text in asked}
    todo = list(needed)
    while todo:
        name = todo.pop()
        for text in universe[name][pins[name]]:
            other = Requirement(text).name
            if other not in needed:
                needed.add(other)
                todo.append(other)
    assert set(pins) == needed


LABELS = ["+rocm5.2", "+rocm5.1.1", "+rocm5.4.2", "+cu117", "", "+cpu", "+rocm10.0"]
torches = st.dictionaries(
    st.builds(
        lambda v, label: v + label,
        st.sampled_from(["1.12.1", "1.13.0", "1.13.1", "2.0.1"]),
        st.sampled_from(LABELS),
    ),
    st.just([]),
    min_size=1,
)
visions = st.dictionaries(
    st.builds(
        lambda v, label: v + label,
        st.sampled_from(["0.14.0", "0.14.1", "0.15.2"]),
        st.sampled_from(LABELS),
    ),
    st.sampled_from([["torch"], ["torch==1.13.1"], ["torch", "numpy"], []]),
    min_size=1,
)
numpies = st.dictionaries(
    st.sampled_from(["1.21.0", "1.26.4", "2.0.0", "2.2.6"]), st.just([]), min_size=1
)


@settings(max_examples=300)
@given(
    torch=torches,
    vision=visions,
    numpy=numpies,
    asked=st.sampled_from(
        [["torch"], ["torchvision"], ["torch", "torchvision"], ["torch", "numpy>=1.22"]]
    ),
)
def test_a_lock_never_breaks_a_rule(torch, vision, numpy, asked):
    sources = make_sources({"numpy": numpy}, {"torch": torch, "torchvision": vision})
    try:
        found = resolve(make_request(asked), sources, RULES)
    except NoSolutionError:
        return
    pins = {str(pin.wheel.name): pin.wheel.version for pin in found.pins}
    family = {name: version for name, version in pins.items() if name.startswith("torch")}
    assert {version.local for version in family.values()} <= {"rocm5.2"}  # R02, R03
    if "torch" in pins:
        assert pins["numpy"] < Version("2")  # R05
    if "torchvision" in pins and "torch" in pins:
        together = {(build.torch, build.torchvision) for build in RULES.builds}
        assert (pins["torch"].public, pins["torchvision"].public) in together  # R02
