"""What ``resolve`` says of releases that are not the newest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.server import Server
from support.universe import fill


@pytest.fixture
def held(server: Server, run):
    """Lock requirements from a universe of packages; returns what is held back, by name."""

    def call(packages: dict[str, dict[str, Any]], *requirements: str) -> dict[str, dict[str, Any]]:
        index = server.index("default", kind="pypi")
        fill(index, packages)
        result = run(
            "resolve", *requirements, "--python-version", "3.10",
            "--index-url", server.url("default"), "-o", "pylock.toml", "--json",
        )  # fmt: skip
        assert result.status == 0, result.err
        return {one["name"]: one for one in json.loads(result.out)["held-back"]}

    return call


def test_the_tightest_of_several_bounds_is_named(held):
    found = held(
        {
            "wide": {"1": {"requires": ["base<4"]}},
            "tight": {"1": {"requires": ["base<2"]}},
            "base": {str(version): {} for version in range(1, 6)},
        },
        *("wide", "tight"),
    )
    assert found["base"]["why"] == "tight 1 needs base<2"
    assert (found["base"]["locked"], found["base"]["newest"]) == ("1", "5")


def test_an_extra_is_not_held_back_by_its_own_project(held):
    found = held(
        {
            "base": {"1": {"extras": {"more": []}}, "2": {"extras": {"more": ["other>=2"]}}},
            "other": {"1": {}, "2": {}},
        },
        *("base[more]", "other<2"),
    )
    assert "base==" not in found["base"]["why"]


def test_what_the_newest_needs_and_the_lock_has_not(held):
    found = held(
        {
            "base": {"1": {}, "2": {"requires": ["other>=2"]}},
            "other": {"1": {}, "2": {}},
        },
        *("base", "other<2"),
    )
    assert found["base"]["why"] == "it needs other>=2; other 1 is locked"
    assert found["other"]["why"] == "you ask for other<2"


def test_a_release_without_a_wheel_says_so(held):
    found = held({"base": {"1": {}, "2": {"sdist": True, "wheel": False}}}, "base")
    assert "only a source distribution" in found["base"]["why"]
    assert found["base"]["build"] == "2"


def test_the_python_of_the_lock(held):
    found = held({"base": {"1": {}, "2": {"requires-python": ">=3.11"}}}, "base")
    assert found["base"]["why"] == "it needs Python >=3.11"


def test_a_pre_release_is_not_the_newest(held):
    assert held({"base": {"1": {}, "2rc1": {}}}, "base") == {}
