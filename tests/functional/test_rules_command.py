from __future__ import annotations

import json

import pytest

from rdna1_lock.rules import load_rules, stack_ids


def test_overview_names_every_rule_and_stack(run):
    out = run("rules").out
    for rule in load_rules().rules:
        assert f"  {rule.id} " in out
        assert rule.title in out
    for name in stack_ids():
        assert f"  {name} " in out
    assert "(default)" in out
    assert "(experimental)" in out


@pytest.mark.parametrize("identifier", ["R05", "r05"])
def test_one_rule(run, identifier):
    out = " ".join(run("rules", identifier).out.split())
    for part in (
        "severity error",
        "evidence reproduced",
        "RuntimeError: Numpy is not available",
        "torch <2.3 -> numpy <2",
        "source https://",
    ):
        assert part in out


def test_a_seed_claim_that_does_not_hold_says_so(run):
    out = " ".join(run("rules", "R08").out.split())
    assert "changes nothing: unset already means enabled" in out
    stack = " ".join(run("rules", "rocm5.2").out.split())
    assert "MIOPEN_DEBUG_CONV_IMPLICIT_GEMM=1 (R08): none" in stack


def test_an_experimental_stack_says_so(run):
    out = " ".join(run("rules", "therock").out.split())
    assert "EXPERIMENTAL" in out
    assert "HSA_OVERRIDE_GFX_VERSION must be unset" in out


def test_json(run):
    data = json.loads(run("rules", "--json").out)
    assert (data["schema"], data["command"]) == (1, "rules")
    assert [rule["id"] for rule in data["rules"]] == [rule.id for rule in load_rules().rules]
    assert {stack["id"] for stack in data["stacks"]} == set(stack_ids())
    one = json.loads(run("rules", "R02", "--json").out)
    assert [rule["id"] for rule in one["rules"]] == ["R02"]
    assert one["rules"][0]["dependencies"][0]["from"] == "label"
