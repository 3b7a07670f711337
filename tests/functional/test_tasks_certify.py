"""``certify`` and ``verify`` as a program calls them: values in, values out, and a way to stop."""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import time
from pathlib import Path

import pytest

from rdna1_lock.certify.run import sweep as sweep_module
from rdna1_lock.certify.run.plan import Plan
from rdna1_lock.certify.run.suite import ID, cases
from rdna1_lock.certify.run.sweep import Sweep
from rdna1_lock.errors import CancelledError
from rdna1_lock.guard.activity import Activity
from rdna1_lock.guard.outcome import Record
from rdna1_lock.guard.process import all_stats
from rdna1_lock.guard.runner import WORKER
from rdna1_lock.tasks.certify import CertifyRequest, certify
from rdna1_lock.tasks.context import Context, Silent
from rdna1_lock.tasks.verify import VerifyRequest, count_witnesses, own_signers, verify
from support.evidence import LOCK

FAKE = Path(__file__).parents[1] / "support" / "fake_sweep"
SUITE1 = Path(__file__).parents[1] / "data" / "suite1"


class Heard(Silent):
    """Writes everything down; ``cancel`` is set when the first worker has ended."""

    def __init__(self, cancel: threading.Event | None = None) -> None:
        self.cancel = cancel
        self.told: list[str] = []
        self.ended: list[Record] = []
        self.workers = 0

    def say(self, text: str) -> None:
        self.told.append(text)

    def note(self, text: str) -> None:
        self.told.append(f"note: {text}")

    def expect_workers(self, count: int) -> None:
        self.workers = count

    def worker_ended(self, record: Record) -> None:
        self.ended.append(record)
        if self.cancel is not None:
            self.cancel.set()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    folder = tmp_path / "lock"
    shutil.copytree(LOCK.parent, folder)
    return folder


def request(lock: Path) -> CertifyRequest:
    return CertifyRequest(lock=lock, python=sys.executable, rehearse=True, quick=True)


def test_a_listener_hears_what_is_done(lock, capfd):
    heard = Heard()
    done = certify(request(lock), Context(listener=heard))
    assert heard.told[0] == "rehearsal (as requested): its result certifies nothing"
    assert heard.told[1].startswith("note: the environment was not compared with the lock")
    assert heard.workers == 5
    assert [record.name for record in heard.ended] == ["probe"]  # no torch here
    assert (done.certified, done.achieved) == (False, False)
    assert set(done.files) == {"certificate.json", "report.json", "report.html"}
    assert all(path.is_file() for path in done.files.values())
    assert capfd.readouterr() == ("", "")


def test_a_cancelled_run_writes_nothing(lock):
    heard = Heard(threading.Event())
    before = sorted(lock.rglob("*"))
    with pytest.raises(CancelledError):
        certify(request(lock), Context(listener=heard, cancel=heard.cancel))
    assert len(heard.ended) == 1
    assert sorted(lock.rglob("*")) == before


def test_a_worker_that_hangs_is_ended_by_cancelling(tmp_path, monkeypatch):
    """Within a second or two, not when its budget of minutes runs out."""
    monkeypatch.setattr(sweep_module, "WORKER", FAKE)
    case = cases(frozenset({44}))[0]
    variables = {
        "FAKE": json.dumps({case.id: "hang"}),
        "FAKE_LOG": str(tmp_path / "log"),
        "FAKE_CHANNEL": str(WORKER),
    }
    plan = Plan(
        python=Path(sys.executable),
        environ=os.environ,
        variables=variables,
        cases=(case,),
        seed=ID,
        device="cpu",
    )
    context = Context()

    def running(now: Activity) -> None:
        if now.case == case.id:
            context.cancel.set()
        context.check()

    def children() -> set[int]:
        return {pid for pid, stat in all_stats().items() if stat.ppid == os.getpid()}

    started, before = time.monotonic(), children()
    with pytest.raises(CancelledError):
        Sweep(plan, running=running).run()
    assert time.monotonic() - started < 20
    # Not even a zombie is left; those of other tests in this process are none of ours.
    assert children() - before == set()


def test_verify_returns_values():
    done = verify(
        VerifyRequest(lock=SUITE1 / "certified", signers=SUITE1 / "allowed_signers"), Context()
    )
    [one] = done.trusted
    assert (done.certified, done.checked) == ((one,), (one,))
    assert one.witness == ("signer@example", "0x731f", "6.8")
    assert count_witnesses([one, one]) == 1
    assert (done.wheels_here, done.wheels_locked) == (0, 10)


def test_verify_can_be_cancelled():
    context = Context()
    context.cancel.set()
    with pytest.raises(CancelledError):
        verify(VerifyRequest(lock=SUITE1 / "certified"), context)


def test_your_own_signers_are_where_your_variables_say(tmp_path):
    for environ, place in (
        ({"HOME": str(tmp_path)}, tmp_path / ".config"),
        ({"HOME": str(tmp_path), "XDG_CONFIG_HOME": " "}, tmp_path / ".config"),
        ({"HOME": "/none", "XDG_CONFIG_HOME": str(tmp_path / "x")}, tmp_path / "x"),
    ):
        file = place / "rdna1-lock" / "allowed_signers"
        file.unlink(missing_ok=True)
        assert own_signers(environ) is None
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
        assert own_signers(environ) == file


def test_no_global_state_is_read(lock, monkeypatch):
    """Variables come with the context: what this process has of its own says nothing."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(SUITE1))
    environ = {"PATH": os.environ["PATH"], "HOME": "/none"}
    certificate = VerifyRequest(lock=SUITE1 / "certified")
    assert verify(certificate, Context(environ=environ)).signers is None
