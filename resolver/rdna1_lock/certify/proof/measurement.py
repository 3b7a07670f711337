"""Judge the measurements of one case against the suite's digests and bounds. Pure.

Three independent checks, since each is blind to what another one sees:

- Integers. The inputs are integers so small that every partial sum stays below 2**24, which
  float32 holds exactly, so the order of summation does not matter and direct, GEMM and implicit
  GEMM solvers must return the same bits. Winograd and FFT solvers transform with fractions and
  miss an integer by far less than half of one; hence a digest of the rounded results, and
  ``max_off`` for how far they were off.
- Reals. ``k`` is the largest error of any element, in units of sqrt(n) * 2**-24 * sum |x w|: what n
  roundings of half a unit in the last place add up to if their signs are independent (n terms
  could in the worst case give n, not sqrt(n)). Direct and GEMM solvers stay below 1.1, FFT below
  3, Winograd F(4x4) near 31.
- The relative error in the 2-norm, over all elements. Reduced precision such as TF32 makes each
  element a little wrong and none very wrong, so that only this one shows it. It is the kind of
  measure that MIOpen's own drivers use (``miopen::rms_range``, 1.5e-6 for float32); alone it would
  hide one wrong element among a million.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rdna1_lock.certify.proof.strictjson import get
from rdna1_lock.certify.run import suite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def judge_measured(
    measured: Any, tensors: Sequence[str], expected: Mapping[str, str] | None
) -> tuple[list[str], list[str]]:
    """Return what is wrong, and what is unusual, about the named results of one case."""
    problems = _adjoint(get(measured, "adjoint"))
    warnings: list[str] = []
    for name in tensors:
        one = get(measured, "tensors", name)
        if get(one, "finite") is not True:
            infinite = get(one, "finite") is False
            what = "is not finite" if infinite else "is missing or has the wrong shape"
            problems.append(f"{name} {what}")
            continue
        problems += _integers(name, one, expected) + _error(name, one) + _norm(name, one)
        warnings += _remark(name, one)
    return problems, warnings


def _adjoint(sums: Any) -> list[str]:
    """Check that <y - b, g>, <x, dx> and <w, dw> are one number.

    Forward and backward passes are linear maps and their adjoints, so this holds for right
    results without any reference. The sums are of integers, and exact in float64.
    """
    whole = isinstance(sums, list) and len(sums) == 3 and all(map(is_number, sums))
    return [] if whole and len(set(sums)) == 1 else ["the adjoint identity does not hold"]


def _integers(name: str, one: Any, expected: Mapping[str, str] | None) -> list[str]:
    problems = []
    if expected is None or get(one, "sha256") != expected[name]:
        problems.append(f"{name} is not the exact integer result")
    off = get(one, "max_off")
    if not (is_number(off) and off < suite.OFF_MAX):
        problems.append(f"{name} is off an integer by {off}")
    return problems


def _error(name: str, one: Any) -> list[str]:
    k = get(one, "k")
    if is_number(k) and k <= suite.K_MAX:
        return []
    return [f"{name} has an error of {k} units, more than {suite.K_MAX:g}"]


def _remark(name: str, one: Any) -> list[str]:
    k = get(one, "k")
    if is_number(k) and suite.K_PASS < k <= suite.K_MAX:
        return [f"{name} has an error of {k} units: a transform or reduced precision"]
    return []


def _norm(name: str, one: Any) -> list[str]:
    rel_l2 = get(one, "rel_l2")
    if is_number(rel_l2) and rel_l2 <= suite.REL_L2_MAX:
        return []
    return [f"{name} has a relative error of {rel_l2}, more than {suite.REL_L2_MAX}"]


def is_number(value: Any) -> bool:
    """Say whether a value of JSON is a number; ``true``, which Python counts, is not.

    A literal such as -1e999 is read as minus infinity, which every upper bound would accept.
    """
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= -1e300
