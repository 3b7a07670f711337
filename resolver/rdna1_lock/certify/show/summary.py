"""A report as rows and words, for the terminal, the page and Markdown alike. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rdna1_lock.certify.proof.judge import LEGS
from rdna1_lock.certify.proof.report import card_of
from rdna1_lock.certify.proof.strictjson import get
from rdna1_lock.certify.proof.verdict import PREREQUISITES, Verdict
from rdna1_lock.certify.run import suite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rdna1_lock.certify.proof.verdict import Judgement

SHARED_ONLY = "shared process only"
RANK = {"failed": 0, "warned": 1, "passed": 2}
# What the ten sizes of the report were about, for every reader.
OLD_HANG = (
    "44x44 is the first size that hung in the public report this sweep comes from. In that setup"
    " MIOpen was left with only its GEMM solvers; the hang was not a limit of the card, and no"
    " implicit-GEMM variable cured it (rules R07 and R08)."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One shape on both routes; times in milliseconds, None where there is none."""

    label: str
    key: str
    size: int
    status: str
    words: str
    first: float | None
    forward: float | None
    backward: float | None
    error: float | None
    solver: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A name and a value of a table of facts."""

    name: str
    value: str


def milliseconds(value: float | None) -> str:
    """Write a time with three digits that matter."""
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def headline(found: Judgement, *, stopped: bool = False) -> str:
    """Return the outcome in one line; its first word is the verdict."""
    ok, odd, bad = (
        len([n for n in names if n.startswith("conv2d/")])
        for names in (found.passed, found.warned, found.failed)
    )
    total = ok + odd + bad
    exact = f"{ok + odd} of {total} convolution passes exact"
    if odd:
        exact += f", {odd} of them with a remark"
    others = [n for n in found.failed if not n.startswith(("conv2d/", *PREREQUISITES))]
    if others and not stopped:
        exact += f"; {', '.join(others)} failed"
    words = {
        Verdict.CERTIFIED: f"certified: {exact}",
        Verdict.REHEARSAL: f"rehearsal, which certifies nothing: {exact}",
        Verdict.PARTIAL: f"partial, so not a certificate: {exact}",
        Verdict.FAILED: f"failed: {exact}",
        Verdict.INCONCLUSIVE: f"inconclusive, the machine was suspended during the run: {exact}",
    }
    return words[found.verdict]


def rows(report: Mapping[str, Any], found: Judgement) -> list[Row]:
    """Return one row for each shape that was asked for."""
    status = dict.fromkeys(found.passed, "passed")
    status |= dict.fromkeys(found.warned, "warned") | dict.fromkeys(found.failed, "failed")
    return [
        _row(report, found, shape, pair, status)
        for shape in suite.SHAPES
        if (pair := _requested(report, shape))
    ]


def _requested(
    report: Mapping[str, Any], shape: tuple[int, int, int, int]
) -> dict[str, suite.Case]:
    """Return the cases of a shape that were requested, by route."""
    both = {route: suite.Case(shape=shape, route=route) for route in suite.ROUTES}
    return {route: case for route, case in both.items() if case.id in report["suite"]["cases"]}


def _row(
    report: Mapping[str, Any],
    found: Judgement,
    shape: tuple[int, int, int, int],
    pair: Mapping[str, suite.Case],
    status: Mapping[str, str],
) -> Row:
    batch, cin, cout, size = shape
    measured = {route: _measured(report, case) for route, case in pair.items()}
    plain = get(measured.get("immediate"), "time") or {}
    first = plain.get("first_forward")
    worst = _worst(pair, status)
    return Row(
        label=f"{cin}→{cout}, {size}×{size}" + (f", batch {batch}" if batch > 1 else ""),
        key=suite.shape_key(shape),
        size=size,
        status=status[worst] if worst else "in shared",
        words=_words(status[worst], found.reasons.get(worst, "")) if worst else SHARED_ONLY,
        first=None if first is None else _ms(first + plain["first_backward"]),
        forward=_ms(plain.get("warm_forward")),
        backward=_ms(plain.get("warm_backward")),
        error=max((k for one in measured.values() for k in _errors(one)), default=None),
        solver=get(report, "solvers", "cases", _find_case(shape), "forward") or "",
    )


def _find_case(shape: tuple[int, int, int, int]) -> str:
    return suite.Case(shape=shape, route="find").id


def _worst(pair: Mapping[str, suite.Case], status: Mapping[str, str]) -> str | None:
    """Return the worst test of a shape, None if it ran only with the others."""
    names = [f"{case.id}/{leg}" for case in pair.values() for leg in LEGS]
    known = [name for name in names if name in status]
    return min(known, key=lambda name: RANK[status[name]], default=None)


def _words(status: str, reason: str) -> str:
    if status == "passed":
        return "exact"
    return "not run" if reason.startswith("not run") else reason or status


def _measured(report: Mapping[str, Any], case: suite.Case) -> Mapping[str, Any]:
    """Return what a case measured by itself, else in the shared process."""
    alone = get(report, "cases", case.id, "measured")
    found: Mapping[str, Any] = alone or get(report, "shared", "cases", case.id) or {}
    return found


def _errors(measured: Mapping[str, Any]) -> list[float]:
    return [one["k"] for one in (measured.get("tensors") or {}).values() if "k" in one]


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1e3


def card_words(report: Mapping[str, Any]) -> str:
    """Name the card, or what computed in its place."""
    card, device = card_of(report), report["device"] or {}
    if card:
        name = card["name"] or f"card {card['device']}"
        return f"{name}, {card['gfx']}, PCI 1002:{card['device'][2:]}"
    if device.get("kind") in {"cuda", "hip"}:
        return f"no RDNA1 card; {device.get('name')}"
    return "no card; the processor"


def facts(report: Mapping[str, Any]) -> list[Fact]:
    """Return what readers compare with their own machine, most important first."""
    host, device, log = report["host"], report["device"] or {}, report["solvers"]
    listed = [
        ("card", card_words(report)),
        ("kernel", host["kernel"]),
        ("system", host["system"]),
        ("C library", f"host glibc {host['libc']}, Python's {device.get('libc')}"),
        ("processor", host["processor"]),
        ("Python", report["environment"].get("python")),
        ("torch", device.get("torch")),
        ("HIP", device.get("hip")),
        ("torch sees the card as", device.get("name")),
        ("MIOpen", log.get("miopen")),
        ("find mode", log.get("find_mode")),
        ("MIOpen sees the card as", log.get("device")),
        ("in a container", "yes" if host["container"] else "no"),
        ("kernel log", "read" if report["kernel_log"]["readable"] else "not readable"),
        ("run", f"{report['started']}, {report['seconds']} s, {report['tool']}"),
        ("challenge", report["suite"]["challenge"]),
    ]
    return [Fact(name=name, value=str(value)) for name, value in listed if value]


def ablation_words(report: Mapping[str, Any]) -> list[Fact]:
    """Say for each variable whether the sweep had another outcome without it."""
    base = _digests(report["shared"])
    listed = []
    for name, leg in report["ablation"].items():
        if leg["outcome"] != report["shared"]["outcome"]:
            what = f"matters: without it the sweep ends as {leg['outcome']}"
        elif _digests(leg) != base:
            what = "matters: without it some results differ"
        else:
            what = "makes no difference to this sweep"
        listed.append(Fact(name=name, value=what))
    return listed


def _digests(leg: Mapping[str, Any]) -> dict[str, list[Any]]:
    return {
        name: [(one or {}).get("sha256") for one in (case.get("tensors") or {}).values()]
        for name, case in (leg.get("cases") or {}).items()
    }


def failures(report: Mapping[str, Any], found: Judgement) -> list[tuple[str, str, str]]:
    """Return (tests, reason, evidence) of the failures, one entry for each reason.

    Evidence is the stacks and the last output of the first worker with that failure.
    """
    legs = {
        **report["cases"],
        "shared-process": report["shared"],
        "numpy": report["numpy"],
        "torchvision": report["vision"] or {},
    }
    grouped: dict[str, list[str]] = {}
    for name in found.failed:
        grouped.setdefault(found.reasons.get(name, ""), []).append(name)
    return [(_group(names), reason, _evidence(legs, names[0])) for reason, names in grouped.items()]


def _group(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _evidence(legs: Mapping[str, Mapping[str, Any]], name: str) -> str:
    leg = next((leg for key, leg in legs.items() if name.startswith(key)), {})
    parts = [leg.get("stacks"), _threads(leg.get("hang")), leg.get("stderr")]
    return "\n".join(part.strip() for part in parts if part and part.strip())


def _threads(hang: Mapping[str, Any] | None) -> str:
    if not hang:
        return ""
    states = ", ".join(f"{n} in {state}" for state, n in hang["states"].items())
    lines = [f"waited {hang['waited']} s in {hang['phase']}; threads: {states}"]
    lines += [
        f"  {thread['comm']} {thread['state']} {thread['wchan'] or ''}"
        f" {' < '.join(thread['kernel_stack'][:3])}".rstrip()
        for thread in hang["threads"]
    ]
    return "\n".join([*lines, hang.get("native_stacks") or ""])
