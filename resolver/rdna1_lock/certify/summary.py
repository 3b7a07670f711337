"""A report as rows and words, for the terminal, the page and Markdown alike. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rdna1_lock.certify import suite
from rdna1_lock.certify.judge import LEGS, PREREQUISITES, Verdict
from rdna1_lock.certify.report import card_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rdna1_lock.certify.judge import Judgement

RANK = {"failed": 0, "warned": 1, "passed": 2}
# What the ten sizes of the report were about, in one sentence for every reader.
OLD_HANG = (
    "44x44 is the first size that hung in the public report this sweep comes from. There, MIOpen was"
    " left with its GEMM solvers alone; it was neither a limit of the card nor cured by an"
    " implicit-GEMM variable (rules R07 and R08)."
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


def headline(found: Judgement, *, stopped: bool = False) -> str:
    """Say what came out in one line; its first word is the verdict."""
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
        Verdict.INCONCLUSIVE: f"inconclusive, the machine slept meanwhile: {exact}",
    }
    return words[found.verdict]


def rows(report: Mapping[str, Any], found: Judgement) -> list[Row]:
    """Return one row for each shape that was asked for."""
    status = {
        name: what
        for what, names in (
            ("passed", found.passed),
            ("warned", found.warned),
            ("failed", found.failed),
        )
        for name in names
    }
    asked = report["suite"]["cases"]
    made = []
    for shape in suite.SHAPES:
        pair = {
            route: case
            for route in suite.ROUTES
            if (case := suite.Case(shape=shape, route=route)).id in asked
        }
        if not pair:
            continue
        names = [f"{case.id}/{leg}" for case in pair.values() for leg in LEGS]
        known = [name for name in names if name in status]
        worst = min(known, key=lambda name: RANK[status[name]], default=None)
        made.append(_row(report, found, shape, pair, status.get(worst or "", "in shared"), worst))
    return made


def _row(
    report: Mapping[str, Any],
    found: Judgement,
    shape: tuple[int, int, int, int],
    pair: Mapping[str, suite.Case],
    status: str,
    worst: str | None,
) -> Row:
    batch, cin, cout, size = shape
    times, errors = {}, []
    for route, case in pair.items():
        alone = (report["cases"].get(case.id) or {}).get("measured")
        measured = alone or (report["shared"].get("cases") or {}).get(case.id) or {}
        times[route] = measured.get("time") or {}
        errors += [one["k"] for one in (measured.get("tensors") or {}).values() if "k" in one]
    reason = found.reasons.get(worst or "", "")
    words = {"passed": "exact", "in shared": "shared process only"}.get(status, reason or status)
    words = "not run" if words.startswith("not run") else words
    solvers = (report["solvers"].get("cases") or {}).get(suite.Case(shape=shape, route="find").id)
    plain = times.get("immediate", {})

    def ms(value: float | None) -> float | None:
        return None if value is None else value * 1e3

    first = plain.get("first_forward")
    return Row(
        label=f"{cin}→{cout}, {size}×{size}" + (f", batch {batch}" if batch > 1 else ""),
        key=suite.shape_key(shape),
        size=size,
        status=status,
        words=words,
        first=None if first is None else ms(first + plain["first_backward"]),
        forward=ms(plain.get("warm_forward")),
        backward=ms(plain.get("warm_backward")),
        error=max(errors, default=None),
        solver=(solvers or {}).get("forward", ""),
    )


def card_words(report: Mapping[str, Any]) -> str:
    """Name the card, or what stood in for one."""
    card, device = card_of(report), report["device"] or {}
    if card:
        name = card["name"] or f"card {card['device']}"
        return f"{name}, {card['gfx']}, PCI 1002:{card['device'][2:]}"
    if device.get("kind") in {"cuda", "hip"}:
        return f"no RDNA1 card; {device.get('name')}"
    return "no card; the processor"


def facts(report: Mapping[str, Any]) -> list[Fact]:
    """Return what a reader compares with their own machine, in order of weight."""
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
        ("torch calls the card", device.get("name")),
        ("MIOpen", log.get("miopen")),
        ("find mode", log.get("find_mode")),
        ("MIOpen takes the card for", log.get("device")),
        ("in a container", "yes" if host["container"] else "no"),
        ("kernel log", "read" if report["kernel_log"]["readable"] else "not readable"),
        ("run", f"{report['started']}, {report['seconds']} s, {report['tool']}"),
        ("challenge", report["suite"]["challenge"]),
    ]
    return [Fact(name=name, value=str(value)) for name, value in listed if value]


def ablation_words(report: Mapping[str, Any]) -> list[Fact]:
    """Say of each variable whether the sweep came out otherwise without it."""
    base = _digests(report["shared"])
    told = []
    for name, leg in report["ablation"].items():
        if leg["outcome"] != report["shared"]["outcome"]:
            what = f"matters: without it the sweep ends as {leg['outcome']}"
        elif _digests(leg) != base:
            what = "matters: without it some results differ"
        else:
            what = "makes no difference to this sweep"
        told.append(Fact(name=name, value=what))
    return told


def _digests(leg: Mapping[str, Any]) -> dict[str, list[Any]]:
    return {
        name: [(one or {}).get("sha256") for one in (case.get("tensors") or {}).values()]
        for name, case in (leg.get("cases") or {}).items()
    }


def failures(report: Mapping[str, Any], found: Judgement) -> list[tuple[str, str, str]]:
    """Return (tests, reason, evidence) of what failed, one entry for each reason.

    Evidence is the stacks and the last output of the first worker that failed so.
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
    listed = []
    for reason, names in grouped.items():
        owner = next((key for key in legs if names[0].startswith(key)), None)
        entry = legs[owner] if owner is not None else {}
        parts = [entry.get("stacks"), _threads(entry.get("hang")), entry.get("stderr")]
        text = "\n".join(part.strip() for part in parts if part and part.strip())
        told = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
        listed.append((told, reason, text))
    return listed


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
