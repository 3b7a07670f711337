"""Run the sweep on this machine's card, judge it, and write the certificate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rdna1_lock.certify.proof.folder import Keys, check_place, write_certificate
from rdna1_lock.certify.proof.strictjson import sha256
from rdna1_lock.certify.proof.verdict import Verdict
from rdna1_lock.certify.run import suite
from rdna1_lock.errors import InputError, UsageError
from rdna1_lock.lock.files import LARGEST
from rdna1_lock.lock.place import lock_file
from rdna1_lock.regular import read_regular
from rdna1_lock.tasks.card import check_ready, choose_card, visible_index
from rdna1_lock.tasks.locked_environment import EnvironmentRequest, provide_environment
from rdna1_lock.tasks.opening import open_for

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rdna1_lock.certify.proof.verdict import Judgement
    from rdna1_lock.certify.run.plan import Plan
    from rdna1_lock.certify.run.records import SweepRecords
    from rdna1_lock.guard.activity import Activity
    from rdna1_lock.guard.outcome import Record
    from rdna1_lock.guard.patience import Patience
    from rdna1_lock.host.gpus import Gpu
    from rdna1_lock.host.system import Host
    from rdna1_lock.lock.model import Lock
    from rdna1_lock.tasks.context import Context
    from rdna1_lock.tasks.locked_environment import LockedEnvironment


@dataclass(frozen=True, kw_only=True)
class CertifyRequest:
    """What to certify, and how.

    ``sizes`` limits the cases. ``rehearse`` runs on whatever computes (``device``: ``auto``,
    ``cpu`` or ``gpu``) and certifies nothing. ``gpu`` is the card's PCI slot; ``first_timeout``
    how many seconds a first call may compile; ``output_dir`` by default the lock's folder.
    """

    lock: Path
    python: str | None = None
    venv: Path | None = None
    wheels: Path | None = None
    index_url: str | None = None
    find_links: tuple[Path, ...] = ()
    keys: Keys = field(default_factory=Keys)
    sizes: frozenset[int] | None = None
    quick: bool = False
    ablate: bool = False
    challenge: str | None = None
    rehearse: bool = False
    device: str = "auto"
    gpu: str | None = None
    first_timeout: float | None = None
    output_dir: Path | None = None


@dataclass(frozen=True, kw_only=True)
class CertifyResult:
    """The report, its judgement, and the files that were written, by their names."""

    report: dict[str, Any]
    judgement: Judgement
    files: Mapping[str, Path]
    rehearse: bool

    @property
    def certified(self) -> bool:
        """Whether the sweep certifies the lock."""
        return self.judgement.verdict is Verdict.CERTIFIED

    @property
    def achieved(self) -> bool:
        """Whether it did what was requested: a certificate, or a rehearsal that passed."""
        return self.certified or (self.rehearse and self.judgement.sweep_passed)


def certify(request: CertifyRequest, context: Context) -> CertifyResult:
    """Certify a lock on this machine.

    Raises:
        UsageError: options that exclude each other, an unknown size or card.
        HostError: the machine cannot run the sweep.
        IntegrityError: the environment is not the lock.
        InputError: a key cannot sign, numpy is missing for a challenge, or a folder cannot be
            written; what was written stays.
        NetworkError: a wheel cannot be fetched.
        CancelledError: the task was cancelled; the worker is ended and nothing is written.

    """
    from rdna1_lock.certify.run.expected import expected_digests
    from rdna1_lock.certify.show.page import render_page

    _check_options(request)
    _check_keys(request.keys, context.environ)
    place = request.output_dir or lock_file(request.lock).parent
    check_place(place)
    bench = _set_up(request, context)
    plan = _plan(request, bench, context)
    # Before the sweep: ten minutes that nobody can judge would be lost.
    expected = expected_digests(request.challenge, plan.python, environ=context.environ)
    records = _sweep(plan, context)
    report, found = _report(request, bench, plan, records, expected, context)
    files = write_certificate(
        place,
        report,
        found,
        page=render_page(report, found),
        keys=request.keys,
        environ=context.environ,
    )
    return CertifyResult(report=report, judgement=found, files=files, rehearse=request.rehearse)


def bad_sizes(text: str) -> UsageError:
    """Return the error for sizes that are not in the suite."""
    known = sorted({shape[3] for shape in suite.SHAPES})
    return UsageError(
        "bad-sizes",
        f"`{text}` is not a list of the sweep's sizes",
        hint=f"choose from {','.join(map(str, known))}",
    )


def _check_options(request: CertifyRequest) -> None:
    if request.rehearse and request.gpu:
        raise UsageError(
            "options-clash", "--rehearse and --gpu exclude each other: a rehearsal uses no card"
        )
    sizes = request.sizes
    if sizes is not None and not (sizes and sizes <= {shape[3] for shape in suite.SHAPES}):
        raise bad_sizes(",".join(map(str, sorted(sizes))))


def _check_keys(keys: Keys, environ: Mapping[str, str]) -> None:
    """Sign nothing, to find out before the sweep what could not sign after it."""
    for key in (keys.ssh, keys.dsse):
        if key is not None and not key.is_file():
            raise InputError(
                "no-key",
                f"the key {key} does not exist",
                hint="name a private key; `ssh-keygen -t ed25519` makes one",
            )
    if keys.ssh is not None:
        from rdna1_lock.certify.proof.signature import ssh_keygen

        ssh_keygen(environ)
    if keys.dsse is not None:
        from rdna1_lock.certify.proof.dsse import make_envelope

        make_envelope(b"", keys.dsse)


@dataclass(frozen=True, kw_only=True)
class _Bench:
    """What the sweep runs on; ``content`` are the bytes of the lock's ``file``."""

    lock: Lock
    file: Path
    content: bytes
    host: Host
    card: Gpu | None
    environment: LockedEnvironment


def _set_up(request: CertifyRequest, context: Context) -> _Bench:
    lock, wheels = open_for(request.lock, context)
    file = lock_file(request.lock)
    content = read_regular(file, LARGEST)
    host, card = _find_card(request, lock, context)
    environment = provide_environment(
        lock,
        EnvironmentRequest(
            lock_digest=sha256(content),
            wheels=request.wheels or wheels,
            python=request.python,
            venv=request.venv,
            index_url=request.index_url,
            find_links=request.find_links,
        ),
        context,
        certain=card is not None,
    )
    return _Bench(
        lock=lock, file=file, content=content, host=host, card=card, environment=environment
    )


def _find_card(request: CertifyRequest, lock: Lock, context: Context) -> tuple[Host, Gpu | None]:
    from rdna1_lock.host.system import look_at_host
    from rdna1_lock.rules import load_gpus

    host = look_at_host(load_gpus())
    card = None if request.rehearse else choose_card(host, request.gpu)
    if card is not None:
        check_ready(host, lock)
    else:
        why = "as requested" if request.rehearse else "the kernel shows no RDNA1 card"
        context.listener.say(f"rehearsal ({why}): its result certifies nothing")
    return host, card


def _plan(request: CertifyRequest, bench: _Bench, context: Context) -> Plan:
    from rdna1_lock.certify.proof.report import has_vision
    from rdna1_lock.certify.run.plan import Plan

    return Plan(
        python=bench.environment.interpreter.executable,
        environ=context.environ,
        variables=bench.lock.env,
        cases=suite.cases(request.sizes),
        seed=suite.seed_of(request.challenge),
        device="gpu" if bench.card else request.device,
        visible=visible_index(bench.host, bench.card),
        quick=request.quick,
        ablate=request.ablate,
        vision=has_vision(bench.lock),
        patience=_patience(request.first_timeout),
    )


def _patience(first: float | None) -> Patience:
    from rdna1_lock.guard.patience import BUDGET, Patience

    return Patience(budget={**BUDGET, "first": first}) if first else Patience()


def _sweep(plan: Plan, context: Context) -> SweepRecords:
    from rdna1_lock.certify.run.sweep import Sweep

    def running(now: Activity) -> None:
        context.check()
        context.listener.worker_runs(now)

    def ended(record: Record) -> None:
        context.listener.worker_ended(record)
        context.check()

    context.check()
    context.listener.expect_workers(plan.workers)
    return Sweep(plan, running=running, ended=ended).run()


def _report(
    request: CertifyRequest,
    bench: _Bench,
    plan: Plan,
    records: SweepRecords,
    expected: Mapping[str, Mapping[str, str]],
    context: Context,
) -> tuple[dict[str, Any], Judgement]:
    from rdna1_lock.certify.proof.report import build_report
    from rdna1_lock.certify.proof.scrub import Scrubber, identify

    identity = identify(context.environ)
    return build_report(
        lock=bench.lock,
        lock_bytes=bench.content,
        plan=plan,
        records=records,
        host=bench.host,
        card=bench.card,
        environment=bench.environment.facts,
        challenge=request.challenge,
        rehearsal=request.rehearse,
        expected=expected,
        scrub=Scrubber(plan.python.parent.parent, bench.file.parent, identity=identity),
    )
