"""A sweep that went well on an RX 5600 XT that is not here, for what reads and judges evidence."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rdna1_lock.certify.proof.report import build_report, has_vision
from rdna1_lock.certify.proof.scrub import Identity, Scrubber
from rdna1_lock.certify.proof.statement import build_statement
from rdna1_lock.certify.proof.strictjson import dump, sha256
from rdna1_lock.certify.proof.verdict import Judgement
from rdna1_lock.certify.run import suite
from rdna1_lock.certify.run.plan import Plan
from rdna1_lock.certify.run.records import SweepRecords
from rdna1_lock.certify.show.page import render_page
from rdna1_lock.guard.outcome import Outcome, Record
from rdna1_lock.host.system import Host, look_at_host
from rdna1_lock.lock.read import read_lock
from rdna1_lock.rules import load_gpus
from support.sysfs import RX_5600_XT, make_machine

LOCK = Path(__file__).parents[2] / "locks" / "rocm5.2-cp310" / "pylock.toml"
SLOT = "0000:0b:00.0"
NOBODY = Identity(home=Path("/home/nobody"), user="nobody", host="nowhere")


def measured(case: suite.Case) -> dict[str, Any]:
    right = suite.digests()[case.key]
    batch, cin, cout, size = case.shape
    shapes = {
        "y": [batch, cout, size, size],
        "dx": [batch, cin, size, size],
        "dw": [cout, cin, 3, 3],
        "db": [cout],
    }
    scale = size * size / 1e6
    return {
        "id": case.id,
        "tensors": {
            name: {
                "shape": shapes[name],
                "finite": True,
                "sha256": right[name],
                "max_off": 0.0,
                "k": 0.7,
                "rel_l2": 2e-7,
            }
            for name in suite.TENSORS
        },
        "adjoint": [9819.0, 9819.0, 9819.0],
        "repeatable": True,
        "time": {
            "first_forward": 2.083,
            "first_backward": 0.4,
            "warm_forward": round(0.0001 + scale * 0.004, 7),
            "warm_backward": round(0.0003 + scale * 0.009, 7),
            "repetitions": 5,
        },
    }


def good_records() -> SweepRecords:
    cases = suite.cases()
    libraries = {"libMIOpen.so": "/tmp/env/lib/python3.10/site-packages/torch/lib/libMIOpen.so"}
    device = {
        "kind": "hip",
        "torch": "1.13.1+rocm5.2",
        "hip": "5.2.21151-afdc89f8",
        "cuda": None,
        "threads": 6,
        "libc": "2.39",
        "name": "AMD Radeon RX 5600 XT",
        "arch": None,
        "capability": [10, 3],
        "memory": 6425673728,
        "count": 1,
        "backend": 2017000,
        "slot": SLOT,
    }

    def done(name: str, result: dict[str, Any] | None = None, **more: Any) -> Record:
        told = {"import_s": 1.5, "device": device, "libraries": libraries, **(result or {})}
        return Record(name=name, outcome=Outcome.DONE, seconds=3.2, result=told, **more)

    steps = dict.fromkeys(("from_numpy", "numpy", "asarray", "tensor"), "ok")
    everything = tuple(measured(case) for case in cases)
    return SweepRecords(
        probe=done("probe"),
        isolated={case.id: done(case.id, cases=(measured(case),)) for case in cases},
        shared=done("shared process", cases=everything),
        control=done("without MIOpen", cases=everything),
        numpy=done("numpy", {"numpy": {"numpy": "1.26.4", "steps": steps, "warnings": []}}),
        vision=done("vision", {"vision": {"torchvision": "0.14.1+rocm5.2", "kept": [0, 2]}}),
        solvers=done("solvers", cases=everything),
        solver_log={
            "miopen": "2.17.0",
            "find_mode": "DYNAMIC_HYBRID",
            "device": "gfx1030",
            "cases": {
                case.id: {"forward": "ConvBinWinogradRxSf3x2"}
                for case in cases
                if case.route == "find"
            },
        },
        kernel_log_readable=True,
        seconds=241.5,
    )


def fake_host(folder: Path) -> Host:
    return look_at_host(load_gpus(), make_machine(folder, [RX_5600_XT]).root, kernel="6.8.0-45")


def make_report(
    folder: Path,
    *,
    change: Callable[[SweepRecords], None] = lambda _: None,
    host: Host | None = None,
    lock: Path = LOCK,
    **more: Any,
) -> tuple[dict[str, Any], Judgement]:
    """Return the report of a good run, after ``change`` had its way with the records."""
    opened = read_lock(lock)
    records = copy.deepcopy(good_records())
    change(records)
    machine = host or fake_host(folder / "machine")
    plan = Plan(
        python=Path("/tmp/env/bin/python"),
        environ={},
        variables=opened.env,
        cases=suite.cases(),
        seed=suite.ID,
        device="gpu",
        vision=has_vision(opened),
    )
    arguments: dict[str, Any] = {
        "lock": opened,
        "lock_bytes": lock.read_bytes(),
        "plan": plan,
        "records": records,
        "host": machine,
        "card": machine.rdna1[0] if machine.rdna1 else None,
        "environment": {"exact": True, "why": None, "python": "3.10.13"},
        "challenge": None,
        "rehearsal": False,
        "expected": suite.digests(),
        "scrub": Scrubber(Path("/tmp/env"), identity=NOBODY),
    }
    return build_report(**{**arguments, **more})


def write_certificate(folder: Path, report: dict[str, Any], found: Judgement) -> Path:
    """Write the three files as ``certify`` does."""
    folder.mkdir(parents=True, exist_ok=True)
    report_bytes = dump(report)
    statement = build_statement(report, report_bytes, report["lock"]["sha256"], found)
    (folder / "report.json").write_bytes(report_bytes)
    (folder / "certificate.json").write_bytes(statement)
    (folder / "report.html").write_text(render_page(report, found))
    assert sha256(report_bytes).encode() in statement
    return folder
