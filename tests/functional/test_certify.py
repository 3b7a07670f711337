"""``certify``: which workers run and when it stops, what is written, what is refused."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import rdna1_lock.install.sync  # noqa: F401  # it must not be imported first while `compare` is a stand-in
from rdna1_lock.certify.run import sweep as sweep_module
from rdna1_lock.certify.run.plan import Plan
from rdna1_lock.certify.run.suite import ID, cases
from rdna1_lock.certify.run.sweep import Sweep
from rdna1_lock.guard.outcome import Outcome
from rdna1_lock.guard.patience import BUDGET, Patience
from rdna1_lock.guard.runner import WORKER
from rdna1_lock.host.system import look_at_host
from rdna1_lock.lock.read import read_lock
from rdna1_lock.rules import load_gpus
from support import sysfs
from support.evidence import LOCK, fake_host, good_records
from support.interpreters import find_python
from support.keys import make_keys
from support.sysfs import make_machine

FAKE = Path(__file__).parents[1] / "support" / "fake_sweep"
FOUR = tuple(case for case in cases(frozenset({42, 44})) if case.shape[1] == 3)
PATIENCE = Patience(
    budget={**BUDGET, "device": 2, "first": 1.5, "teardown": 2},
    evidence=0.3,
    term=1.0,
    kill=1.0,
    heartbeat=0.2,
)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run a sweep of four cases with workers that do as told; returns evidence and their log."""
    monkeypatch.setattr(sweep_module, "WORKER", FAKE)
    log = tmp_path / "log"

    def run(ways: dict[str, str] | None = None, **options: object):
        log.unlink(missing_ok=True)
        (tmp_path / "gone").unlink(missing_ok=True)
        variables = {
            "FAKE": json.dumps(ways or {}),
            "FAKE_LOG": str(log),
            "FAKE_CHANNEL": str(WORKER),
            "FAKE_GONE": str(tmp_path / "gone"),
        }
        plan = Plan(
            python=Path(sys.executable),
            environ=os.environ,
            variables=variables,
            cases=FOUR,
            seed=ID,
            device="cpu",
            patience=PATIENCE,
            **options,
        )
        evidence = Sweep(plan).run()
        return evidence, [json.loads(line) for line in log.read_text().splitlines()]

    return run


def outcomes(evidence) -> list[str]:
    return [record.outcome.value for record in evidence.isolated.values()]


def test_every_worker_runs_in_its_order_with_caches_of_its_own(fake):
    evidence, log = fake(vision=True, ablate=True, visible=1)
    names = [entry["name"] for entry in log]
    assert names[:5] == ["probe", *(case.id for case in FOUR)]
    assert names[5:10] == [
        *("shared process", "numpy round trip", "torchvision nms", "without MIOpen", "solvers")
    ]
    # One leg more for each variable; the stand-in needs some of its own and fails without them.
    ended = {name: record.outcome.value for name, record in evidence.ablation.items()}
    assert list(ended) == ["FAKE", "FAKE_CHANNEL", "FAKE_GONE", "FAKE_LOG"]
    assert (ended["FAKE"], ended["FAKE_GONE"]) == ("error", "done")
    databases = [entry["env"]["MIOPEN_USER_DB_PATH"] for entry in log]
    assert len(set(databases)) == len(databases)
    assert not any(Path(path).exists() for path in databases), "caches are taken away"
    assert all(entry["env"]["HIP_VISIBLE_DEVICES"] == "1" for entry in log)
    loud = [entry for entry in log if "MIOPEN_LOG_LEVEL" in entry["env"]]
    assert [entry["name"] for entry in loud] == ["solvers"]
    assert evidence.stopped is None


def test_nothing_is_inherited_but_three_variables(fake, monkeypatch):
    monkeypatch.setenv("MIOPEN_DEBUG_CONV_GEMM", "0")
    monkeypatch.setenv("HIP_VISIBLE_DEVICES", "7")
    _, log = fake()
    assert not any("MIOPEN_DEBUG_CONV_GEMM" in entry["env"] for entry in log)
    assert not any("HIP_VISIBLE_DEVICES" in entry["env"] for entry in log)


def test_one_hang_is_probed_and_survived(fake):
    evidence, log = fake({FOUR[1].id: "hang"})
    assert outcomes(evidence) == ["done", "hang", "done", "done"]
    names = [entry["name"] for entry in log]
    assert names[names.index(FOUR[1].id) + 1] == "probe"
    # The shared pass runs the same case and hangs in it; what came before is kept.
    assert evidence.shared.outcome is Outcome.HANG
    assert evidence.shared.case == FOUR[1].id
    assert [case["id"] for case in evidence.shared.cases] == [FOUR[0].id]


def test_two_hangs_in_a_row_stop_the_sweep(fake):
    evidence, log = fake({case.id: "hang" for case in FOUR[1:]})
    assert outcomes(evidence) == ["done", "hang", "hang", "not_run"]
    assert "2 hangs in a row" in evidence.stopped
    assert evidence.shared.outcome is Outcome.NOT_RUN
    assert evidence.numpy.why == evidence.stopped
    assert FOUR[3].id not in {entry["name"] for entry in log}


def test_a_device_that_does_not_answer_stops_the_sweep(fake):
    evidence, _ = fake({FOUR[0].id: "hang", "the device": "dies"})
    assert outcomes(evidence) == ["hang", "not_run", "not_run", "not_run"]
    assert "the device does not answer" in evidence.stopped


def test_a_crash_is_no_hang(fake):
    evidence, _ = fake({FOUR[0].id: "abort", FOUR[1].id: "abort", FOUR[2].id: "abort"})
    assert outcomes(evidence) == ["abort", "abort", "abort", "done"]
    assert evidence.stopped is None


def test_quick_runs_one_process(fake):
    evidence, log = fake(quick=True)
    assert evidence.isolated == {}
    assert len([e for e in log if e["kind"] == "convolutions"]) == 3


def test_the_kernels_word_stops_the_sweep(fake, tmp_path, monkeypatch):
    from rdna1_lock.certify.run import kernel_log

    class Log(kernel_log.KernelLog):
        said = iter([[], ["amdgpu 0000:0b:00.0: amdgpu: GPU reset begin!"], []])

        def news(self):
            return next(self.said, [])

    monkeypatch.setattr(sweep_module, "KernelLog", Log)
    evidence, _ = fake({FOUR[1].id: "abort"})
    assert outcomes(evidence) == ["done", "abort", "not_run", "not_run"]
    assert "the kernel reported a hang" in evidence.stopped
    assert evidence.kernel_lines == ["amdgpu 0000:0b:00.0: amdgpu: GPU reset begin!"]


def test_the_kernel_log_is_read_without_waiting(tmp_path):
    from rdna1_lock.certify.run.kernel_log import KernelLog

    path = tmp_path / "kmsg"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    log = KernelLog(str(path))
    # A pipe cannot seek: what stands there is no log, and is not waited for.
    assert (log.readable, log.news()) == (False, [])
    os.close(writer)
    plain = tmp_path / "log"
    plain.write_text("6,1,2,-;old line GPU reset begin!\n")
    log = KernelLog(str(plain))
    assert log.news() == []
    with plain.open("a") as file:
        file.write("3,2,9,-;amdgpu: qcm fence wait loop timeout expired\n SUBSYSTEM=pci\n")
    assert log.news() == ["amdgpu: qcm fence wait loop timeout expired"]
    log.close()
    assert KernelLog(str(tmp_path / "none")).readable is False


# The command. The card and the sweep are stand-ins; everything around them is real.


@pytest.fixture
def lock(run) -> Path:
    folder = Path("lock").resolve()
    shutil.copytree(LOCK.parent, folder)
    return folder


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A machine with an RX 5600 XT and the lock's environment, on which the sweep goes well."""
    host = fake_host(tmp_path / "machine")
    state = {"host": host, "evidence": good_records(), "plans": []}
    monkeypatch.setattr("rdna1_lock.host.system.look_at_host", lambda cards: state["host"])
    monkeypatch.setattr("rdna1_lock.tasks.locked_environment.fetch_into", lambda *a, **k: None)
    monkeypatch.setattr("rdna1_lock.install.verify.compare", lambda *a: state.get("differ", []))

    def sweep(self):
        state["plans"].append(self.plan)
        return state["evidence"]

    monkeypatch.setattr("rdna1_lock.certify.run.sweep.Sweep.run", sweep)
    return state


def certify(run, lock, *more):
    return run("certify", lock, "--python", sys.executable, *more)


def test_a_certificate_is_written_signed_and_verified(lock, machine, run, tmp_path):
    keys = make_keys(tmp_path)
    result = certify(run, lock, "--key", keys / "alice")
    assert result.status == 0, result.err
    assert result.out.startswith("certified: 72 of 72 convolution passes exact")
    [plan] = machine["plans"]
    assert (plan.device, plan.variables, plan.visible) == ("gpu", read_lock(LOCK).env, None)
    for name in ("certificate.json", "report.json", "report.html", "certificate.json.sig"):
        assert (lock / name).exists()
    assert run("verify", lock, "--signers", keys / "allowed_signers").status == 0
    # The next one does not displace it.
    machine["evidence"].seconds = 1.0
    assert certify(run, lock, "--key", keys / "bob", "--dsse-key", keys / "bob").status == 0
    [second] = (lock / "certificates").iterdir()
    assert (second / "certificate.dsse.json").exists()
    both = run("verify", lock, "--signers", keys / "allowed_signers", "--json")
    assert json.loads(both.out)["witnesses"] == 2


def test_unsigned_says_so(lock, machine, run):
    result = certify(run, lock)
    assert result.status == 0
    assert "unsigned" in result.err


def test_json(lock, machine, run):
    data = json.loads(certify(run, lock, "--json").out)
    assert (data["verdict"], data["sweep-passed"], data["failed"]) == ("certified", True, {})
    assert set(data["files"]) == {"certificate.json", "report.json", "report.html"}


def test_a_hang_is_a_no(lock, machine, run):
    machine["evidence"].isolated[FOUR[0].id] = dataclasses.replace(
        machine["evidence"].isolated[FOUR[0].id], outcome=Outcome.HANG, phase="first"
    )
    result = certify(run, lock)
    assert result.status == 1
    assert result.out.startswith("failed: 70 of 72")
    assert "hang in phase first" in result.out
    assert certify(run, lock, "--rehearse").status == 1


def test_a_rehearsal_is_a_yes_only_where_it_was_asked_for(lock, machine, run):
    asked = certify(run, lock, "--rehearse")
    assert asked.status == 0, asked.err
    for text in (asked.err, asked.out, (lock / "report.html").read_text().split("<title>")[1]):
        assert text.lower().startswith("rehearsal")
    assert json.loads((lock / "report.json").read_text())["verdict"] == "rehearsal"
    assert next(iter(json.loads((lock / "report.json").read_text()))) == "verdict"
    assert "rehearsal: pylock.toml" in (lock / "certificate.json").read_text()[:60]
    assert run("verify", lock).status == 1


@pytest.mark.parametrize("cards", [[], [sysfs.RX_6800], [sysfs.GEFORCE], [sysfs.BC_250]])
def test_without_an_rdna1_card_it_is_a_rehearsal_and_a_no(lock, machine, run, tmp_path, cards):
    other = make_machine(tmp_path / "other", cards)
    machine["host"] = look_at_host(load_gpus(), other.root, kernel="6.8")
    result = certify(run, lock)
    assert result.status == 1
    assert result.err.startswith("rehearsal (the kernel shows no RDNA1 card)")
    assert result.out.startswith("rehearsal")
    assert "it was requested" not in result.out


def test_a_rehearsal_does_not_take_the_place_of_a_certificate(lock, machine, run):
    assert certify(run, lock).status == 0
    before = (lock / "certificate.json").read_bytes()
    assert certify(run, lock, "--rehearse").status == 0
    assert (lock / "certificate.json").read_bytes() == before
    assert len(list((lock / "certificates").iterdir())) == 1


def test_a_card_that_cannot_be_opened_is_refused_before_anything_is_fetched(
    lock, machine, run, monkeypatch
):
    locked_up = tuple(
        dataclasses.replace(device, usable=False) for device in machine["host"].devices
    )
    machine["host"] = dataclasses.replace(machine["host"], devices=locked_up)
    monkeypatch.setattr(
        "rdna1_lock.tasks.locked_environment.fetch_into", lambda *a, **k: pytest.fail("fetched")
    )
    result = certify(run, lock)
    assert (result.status, result.code) == (1, "host-not-ready")
    assert "R16: /dev/kfd may not be opened" in result.err
    assert "usermod -aG" in result.err


def test_an_environment_that_is_not_the_lock_is_refused(lock, machine, run):
    from rdna1_lock.install.verify import Difference

    machine["differ"] = [Difference(kind="changed", package="numpy", what="numpy/__init__.py")]
    result = certify(run, lock)
    assert (result.status, result.code) == (5, "environment-differs")
    assert machine["plans"] == []


def test_a_bare_interpreter_is_one_to_make_an_environment_with(
    lock, machine, run, monkeypatch, tmp_path
):
    python = find_python("3.10")
    if python is None:
        pytest.skip("no CPython 3.10 on this machine")
    monkeypatch.setattr("rdna1_lock.install.sync.sync", lambda *a, **k: None)
    for options, place in (([], tmp_path / "cache" / "environments"), (["--venv", "e"], Path("e"))):
        result = run("certify", lock, "--python", python, *options)
        assert result.status == 0, result.err
        plan = machine["plans"].pop()
        assert plan.python.is_relative_to(place.parent)
        assert list(place.rglob("pyvenv.cfg"))
    wrong = run("certify", lock, "--python", "/nowhere/python")
    assert (wrong.status, wrong.code) == (2, "wrong-python")


def test_the_card_is_chosen_among_several(lock, machine, run, tmp_path):
    both = make_machine(tmp_path / "both", [sysfs.RAPHAEL, sysfs.RX_5700_XT])
    machine["host"] = look_at_host(load_gpus(), both.root, kernel="6.8")
    certify(run, lock, "--quick")
    assert machine["plans"][0].visible == 1
    slot = machine["host"].rdna1[0].slot
    certify(run, lock, "--gpu", slot)
    assert machine["plans"][1].visible == 1
    wrong = certify(run, lock, "--gpu", "0000:99:00.0")
    assert (wrong.status, wrong.code) == (2, "no-such-card")
    assert slot in wrong.err


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        (["--sizes", "43"], 2, "bad-sizes"),
        (["--sizes", "many"], 2, "bad-sizes"),
        (["--key", "nowhere"], 3, "no-key"),
        (["--rehearse", "--gpu", "0"], 2, "options-clash"),
        (["--first-timeout", "0"], 2, "usage"),
    ],
)
def test_mistakes_are_told_before_the_sweep(lock, machine, run, options, status, code):
    result = certify(run, lock, *options)
    assert (result.status, result.code) == (status, code)
    assert machine["plans"] == []


def test_a_key_that_dsse_cannot_use_is_told_before_the_sweep(lock, machine, run, tmp_path):
    key = tmp_path / "ecdsa"
    subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", key], check=True)
    for wrong in (key, LOCK):
        result = certify(run, lock, "--dsse-key", wrong)
        assert (result.status, result.code) == (3, "bad-key")
    assert machine["plans"] == []


def test_sizes_and_challenge_reach_the_plan(lock, machine, run):
    pytest.importorskip("numpy")
    result = certify(run, lock, "--sizes", "44,512", "--challenge", "abc")
    [plan] = machine["plans"]
    assert {case.size for case in plan.cases} == {44, 512}
    assert plan.seed == f"{ID}|challenge|abc"
    assert result.status == 1  # the stand-in's answers are those of no challenge


def test_an_environment_without_torch_is_told(lock, run):
    """For real: an interpreter that has no torch."""
    result = run("certify", lock, "--python", sys.executable, "--rehearse", "--quick")
    assert result.status == 1
    assert "torch does not start: ModuleNotFoundError: No module named 'torch'" in result.out


def test_a_passphrase_that_cannot_be_asked_for(lock, machine, run, tmp_path):
    key = tmp_path / "locked"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", key]
    subprocess.run(command, check=True)
    result = certify(run, lock, "--key", key)
    assert (result.status, result.code) == (3, "not-signed")
    assert "ssh-keygen -Y sign" in result.err
    assert (lock / "certificate.json").exists()
    assert run("verify", lock).status == 6
