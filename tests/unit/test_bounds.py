"""Where a bound is, and which reason for a verdict is the strongest."""

from __future__ import annotations

import math

import pytest

from rdna1_lock.certify.proof.judge import judge
from rdna1_lock.certify.proof.measurement import is_number
from rdna1_lock.certify.proof.verdict import Verdict
from rdna1_lock.certify.run import suite
from rdna1_lock.guard.outcome import LATE
from rdna1_lock.lock.read import read_lock
from support.evidence import LOCK, make_report

CASE = "conv2d/1x3x44-64/find"
OTHER = "conv2d/1x3x44-64/immediate"
ENV = read_lock(LOCK).env


@pytest.fixture
def report(tmp_path):
    return make_report(tmp_path)[0]


def again(report):
    return judge(report, suite.digests(), ENV, vision=True)


def set_everywhere(report, name, **values):
    """Change a result of one case where it ran alone and where it ran with the others."""
    for leg in (report["cases"][CASE]["measured"], report["shared"]["cases"][CASE]):
        leg["tensors"][name].update(values)


def above(value: float) -> float:
    return math.nextafter(value, math.inf)


@pytest.mark.parametrize("name", suite.TENSORS)
@pytest.mark.parametrize(
    ("key", "value", "verdict", "result"),
    [
        ("k", suite.K_PASS, Verdict.CERTIFIED, "PASSED"),
        ("k", above(suite.K_PASS), Verdict.CERTIFIED, "WARNED"),
        ("k", suite.K_MAX, Verdict.CERTIFIED, "WARNED"),
        ("k", above(suite.K_MAX), Verdict.FAILED, "FAILED"),
        ("rel_l2", suite.REL_L2_MAX, Verdict.CERTIFIED, "PASSED"),
        ("rel_l2", above(suite.REL_L2_MAX), Verdict.FAILED, "FAILED"),
        ("max_off", 0.2499999, Verdict.CERTIFIED, "PASSED"),
        ("max_off", suite.OFF_MAX, Verdict.FAILED, "FAILED"),
    ],
)
def test_a_value_at_its_bound(report, name, key, value, verdict, result):
    set_everywhere(report, name, **{key: value})
    found = again(report)
    assert (found.verdict, found.result) == (verdict, result)
    leg = "forward" if name == "y" else "backward"
    odd = {"PASSED": (), "WARNED": found.warned, "FAILED": found.failed}[result]
    assert (f"{CASE}/{leg}" in odd) is (result != "PASSED")


def test_the_published_bounds():
    """They are part of the suite: another bound is another suite."""
    assert (suite.K_PASS, suite.K_MAX, suite.REL_L2_MAX, suite.OFF_MAX) == (8, 64, 2e-5, 0.25)
    assert suite.suite_digest() == (
        "2391d70d3e912ece83959ce4480f5d2c3e0d463510be994c723d91b9582152ea"
    )


@pytest.mark.parametrize(
    "sums",
    [
        ["a", "a", "a"],
        [None, None, None],
        [True, True, True],
        [[], [], []],
        [{"x": 1}, {"x": 1}, {"x": 1}],
        [-math.inf, -math.inf, -math.inf],
        [math.nan, math.nan, math.nan],
        [1.0, 1.0, True],
        [1.0, 1.0],
        [1.0, 1.0, 1.0, 1.0],
        [1.0, 2.0, 1.0],
        [2.0, 1.0, 1.0],
        [],
        "111",
        {"0": 1},
    ],
)
@pytest.mark.parametrize("where", ["alone", "shared"])
def test_adjoint_sums_are_three_equal_numbers(report, sums, where):
    leg = (
        report["shared"]["cases"][CASE] if where == "shared" else report["cases"][CASE]["measured"]
    )
    leg["adjoint"] = sums
    assert again(report).verdict is Verdict.FAILED


@pytest.mark.parametrize("sums", [[0, 0, 0], [-5.0, -5.0, -5.0], [3, 3.0, 3]])
def test_any_equal_numbers_will_do(report, sums):
    report["cases"][CASE]["measured"]["adjoint"] = sums
    assert again(report).verdict is Verdict.CERTIFIED


def test_what_is_a_number():
    assert all(map(is_number, (0, -1, 2.5, 1e300)))
    assert not any(map(is_number, (True, False, "1", None, [], math.nan, -math.inf)))


def slept(report):
    report["cases"][OTHER]["outcome"] = "inconclusive_suspended"


def failed(report):
    set_everywhere(report, "y", sha256="0" * 64)


def rehearsed(report):
    report["rehearsal"] = True


def partial(report):
    del report["cases"][OTHER]


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ((rehearsed, slept, failed, partial), Verdict.REHEARSAL),
        ((rehearsed, slept), Verdict.REHEARSAL),
        ((rehearsed, failed), Verdict.REHEARSAL),
        ((rehearsed,), Verdict.REHEARSAL),
        ((slept, failed), Verdict.INCONCLUSIVE),
        ((slept,), Verdict.INCONCLUSIVE),
        ((failed, partial), Verdict.FAILED),
        ((failed,), Verdict.FAILED),
        ((partial,), Verdict.PARTIAL),
        ((), Verdict.CERTIFIED),
    ],
)
def test_the_strongest_reason_decides(report, changes, verdict):
    for change in changes:
        change(report)
    assert again(report).verdict is verdict


@pytest.mark.parametrize("outcome", sorted(LATE))
def test_a_late_exit_of_the_shared_process_is_not_a_failure(report, outcome):
    """Its results have arrived and are judged; training would have had them too."""
    report["shared"]["outcome"] = outcome.value
    found = again(report)
    assert found.verdict is Verdict.CERTIFIED
    assert "shared-process/all-cases" in found.passed
    report["shared"]["cases"][CASE]["tensors"]["y"]["sha256"] = "0" * 64
    assert "shared-process/all-cases" in again(report).failed


@pytest.mark.parametrize(
    "outcome", ["hang", "stopped", "killed", "error", "bad_result", "fine", None]
)
def test_any_other_end_of_the_shared_process_is_one(report, outcome):
    report["shared"]["outcome"] = outcome
    found = again(report)
    assert found.verdict is Verdict.FAILED
    assert found.failed == ("shared-process/all-cases",)


@pytest.mark.parametrize("outcome", [[], {}, ["done"], {"done": 1}, 1])
def test_an_outcome_of_another_type_fails(report, outcome):
    report["cases"][CASE]["outcome"] = outcome
    report["shared"]["outcome"] = outcome
    assert again(report).verdict is Verdict.FAILED
