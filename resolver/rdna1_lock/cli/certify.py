"""``rdna1-lock certify``: the sweep on this machine's card, and what it leaves behind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rdna1_lock.cli.locks import INDEX_OPTIONS, LOCK, options
from rdna1_lock.cli.render import note, print_json, say
from rdna1_lock.cli.terminal import open_context
from rdna1_lock.errors import Exit, HostError, InputError, UsageError
from rdna1_lock.lock.place import lock_file, open_lock
from rdna1_lock.tasks.fetch import fetch_into

if TYPE_CHECKING:
    from rdna1_lock.certify.judge import Judgement
    from rdna1_lock.certify.sweep import Plan
    from rdna1_lock.host.gpus import Gpu
    from rdna1_lock.host.system import Host
    from rdna1_lock.install.interpreter import Interpreter
    from rdna1_lock.lock.model import Lock


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The options of one run."""

    lock: Path
    python: str | None
    venv: Path | None
    wheels: Path | None
    index_url: str | None
    find_links: tuple[Path, ...]
    key: Path | None
    dsse_key: Path | None
    sizes: str | None
    quick: bool
    ablate: bool
    challenge: str | None
    rehearse: bool
    device: str
    gpu: str | None
    first_timeout: float | None
    output_dir: Path | None
    as_json: bool
    quiet: bool


@click.command("certify", short_help="Prove by a sweep that convolutions work on this card.")
@LOCK
@click.option(
    "--python",
    metavar="PATH",
    help="An environment of the lock that is there already, by its Python; or a Python to make one with.",
)
@click.option(
    "--venv",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where to make the environment [default: in the cache].",
)
@click.option(
    "--wheels",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of the wheels [default: `wheels` beside the lock].",
)
@options(INDEX_OPTIONS)
@click.option(
    "--key",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Sign with this SSH key (ssh-keygen -Y).",
)
@click.option(
    "--dsse-key",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Also write a DSSE envelope, signed with this ed25519 key.",
)
@click.option("--sizes", metavar="N,N", help="Only these sizes; what comes out is no certificate.")
@click.option("--quick", is_flag=True, help="All cases in one process; no certificate either.")
@click.option(
    "--ablate", is_flag=True, help="Run again without each variable, and say which matter."
)
@click.option("--challenge", metavar="NONCE", help="Inputs that somebody else chose just now.")
@click.option("--rehearse", is_flag=True, help="Only rehearse, on whatever there is to compute on.")
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "gpu"]),
    default="auto",
    show_default=True,
    help="What a rehearsal computes on.",
)
@click.option("--gpu", metavar="SLOT", help="PCI slot of the card, where there are several.")
@click.option(
    "--first-timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=1),
    help="How long a first call may compile [default: 300].",
)
@click.option(
    "--output-dir",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where to write [default: the lock folder].",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
def command(**arguments: Any) -> int:
    """Run the Conv2d sweep in an environment of exactly LOCK, and write a certificate.

    Certifies only on an RDNA1 card that the kernel shows; anywhere else, or with --rehearse, it is
    a rehearsal, and says so. Exit status 0 if certified, or if a rehearsal that was asked for
    passed; 1 otherwise.
    """
    asked = Asked(**arguments)
    return _run(asked)


def _run(asked: Asked) -> int:
    from rdna1_lock.certify.expected import expected_digests
    from rdna1_lock.certify.report import build_report, has_vision
    from rdna1_lock.certify.scrub import Scrubber
    from rdna1_lock.certify.suite import cases, seed_of
    from rdna1_lock.certify.sweep import Plan, Sweep
    from rdna1_lock.cli.certificates import write_certificate
    from rdna1_lock.cli.progress import Teller
    from rdna1_lock.host.system import look_at_host
    from rdna1_lock.rules import load_gpus

    lock, wheels = open_lock(asked.lock)
    file = lock_file(asked.lock)
    lock_bytes = file.read_bytes()
    _check_options(asked)
    chosen = cases(_sizes(asked.sizes))
    host = look_at_host(load_gpus())
    card = None if asked.rehearse else _card(host, asked.gpu)
    if card is None:
        why = "as asked" if asked.rehearse else "no RDNA1 card is shown by the kernel"
        _tell(asked, f"rehearsal ({why}): whatever comes out of it certifies nothing")
    else:
        _check_host(host, lock)
    environment, facts = _environment(asked, lock, asked.wheels or wheels, certain=card is not None)
    plan = Plan(
        python=environment.executable,
        variables=lock.env,
        cases=chosen,
        seed=seed_of(asked.challenge),
        device="gpu" if card else asked.device,
        visible=_visible(host, card),
        quick=asked.quick,
        ablate=asked.ablate,
        vision=has_vision(lock),
        patience=_patience(asked.first_timeout),
    )
    # Before the sweep: nothing is worse than ten minutes that nobody can judge.
    expected = expected_digests(asked.challenge, environment.executable)
    teller = Teller(total=_workers(plan), quiet=asked.quiet or asked.as_json)
    try:
        evidence = Sweep(plan, tell=teller.progress, done=teller.done).run()
    finally:
        teller.close()
    report, found = build_report(
        lock=lock,
        lock_bytes=lock_bytes,
        plan=plan,
        evidence=evidence,
        host=host,
        card=card,
        environment=facts,
        challenge=asked.challenge,
        rehearsal=asked.rehearse,
        expected=expected,
        scrub=Scrubber(environment.executable.parent.parent, file.parent),
    )
    written = write_certificate(
        asked.output_dir or file.parent, report, found, key=asked.key, dsse_key=asked.dsse_key
    )
    return _finish(asked, report, found, written)


def _check_options(asked: Asked) -> None:
    if asked.rehearse and asked.gpu:
        raise UsageError(
            "options-clash", "--rehearse and --gpu do not go together: a rehearsal takes no card"
        )
    for key in (asked.key, asked.dsse_key):
        if key is not None and not key.is_file():
            raise InputError(
                "no-key",
                f"there is no key {key}",
                hint="`ssh-keygen -t ed25519` makes one; name the private key",
            )
    # What could not sign afterwards is told before the sweep.
    if asked.key is not None:
        from rdna1_lock.certify.signature import ssh_keygen

        ssh_keygen()
    if asked.dsse_key is not None:
        from rdna1_lock.certify.dsse import make_envelope

        make_envelope(b"", asked.dsse_key)


def _sizes(text: str | None) -> frozenset[int] | None:
    if text is None:
        return None
    from rdna1_lock.certify.suite import SHAPES

    known = sorted({shape[3] for shape in SHAPES})
    try:
        found = frozenset(int(part) for part in text.split(","))
    except ValueError:
        found = frozenset()
    if not found or not found <= set(known):
        raise UsageError(
            "bad-sizes",
            f"`{text}` are not sizes of the sweep",
            hint=f"choose from {','.join(map(str, known))}",
        )
    return found


def _card(host: Host, slot: str | None) -> Gpu | None:
    """Return the RDNA1 card to certify; the first, or the one in ``slot``."""
    if slot is None:
        return host.rdna1[0] if host.rdna1 else None
    for gpu in host.rdna1:
        if gpu.slot == slot:
            return gpu
    listed = ", ".join(gpu.slot for gpu in host.rdna1) or "there is none"
    raise UsageError(
        "no-such-card", f"there is no RDNA1 card in slot {slot}", hint=f"RDNA1: {listed}"
    )


def _visible(host: Host, card: Gpu | None) -> int | None:
    """Return the card's index for HIP where the machine has several GPUs."""
    counted = [gpu for gpu in host.gpus if gpu.index is not None]
    return card.index if card is not None and len(counted) > 1 else None


def _check_host(host: Host, lock: Lock) -> None:
    """Refuse before a gigabyte is fetched for a card that cannot be opened."""
    from rdna1_lock.audit.report import check_host
    from rdna1_lock.model import rocm_label
    from rdna1_lock.rules import load_rules
    from rdna1_lock.rules.model import Severity

    labels = [rocm_label(p.version) for p in lock.packages if p.version and p.name == "torch"]
    # We choose the card ourselves, so R15 is kept.
    variables = {**lock.env, "HIP_VISIBLE_DEVICES": "chosen"}
    findings = check_host(host, load_rules(), variables, rocm=labels[0] if labels else None)
    # The environment may bring a C library of its own, as the Nix shell does.
    blocking = [f for f in findings if f.severity is Severity.ERROR and f.rule != "R01"]
    if blocking:
        facts = [f"{item.rule}: {item.seen}" for item in blocking]
        commands = [command.line for item in blocking for command in item.commands]
        raise HostError(
            "host-not-ready",
            "this machine is not ready for the sweep",
            facts=tuple(facts),
            hint="; ".join(dict.fromkeys(commands)) or blocking[0].remedy,
        )


def _environment(
    asked: Asked, lock: Lock, wheels: Path, *, certain: bool
) -> tuple[Interpreter, dict[str, Any]]:
    """Return the environment and what is known of it; with ``certain`` it must be the lock."""
    from rdna1_lock.certify.strictjson import sha256
    from rdna1_lock.index.cache import default_cache_dir
    from rdna1_lock.install.environment import open_environment
    from rdna1_lock.install.interpreter import probe
    from rdna1_lock.install.sync import not_the_lock, sync
    from rdna1_lock.install.verify import compare
    from rdna1_lock.install.wheels import all_there

    def fetch() -> None:
        with open_context(quiet=asked.quiet or asked.as_json) as context:
            fetch_into(
                lock,
                wheels,
                index_url=asked.index_url,
                find_links=asked.find_links,
                context=context,
            )

    named = probe(asked.python) if asked.python is not None else None
    if asked.python is not None and named is None:
        raise UsageError("wrong-python", f"{asked.python} does not run")
    if named is None or asked.venv is not None or _is_bare(named):
        name = sha256(lock_file(asked.lock).read_bytes())[:16]
        venv = asked.venv or default_cache_dir() / "environments" / name
        series = lock.inputs.target.python_series
        found, _ = open_environment(venv, series, asked.python, make=True)
        fetch()
        _tell(asked, f"environment: {venv}")
        sync(lock, wheels, found, set_env=True)
        return found, {"exact": True, "why": None, "python": found.version}
    if certain or asked.find_links or all_there(lock, wheels):
        fetch()
        differ = compare(lock, wheels, named)
        if differ and certain:
            raise not_the_lock(differ, str(named.executable))
        why = f"{len(differ)} files or packages are not as locked" if differ else None
    else:
        why = "the environment was not compared with the lock: its wheels are not here"
    if why:
        _tell(asked, f"note: {why}")
    return named, {"exact": why is None, "why": why, "python": named.version}


def _is_bare(python: Interpreter) -> bool:
    """Say whether an interpreter is one to make an environment with, not one that holds a torch."""
    return not python.venv and not any(name == "torch" for name, _, _ in python.distributions)


def _patience(first: float | None) -> Any:
    from rdna1_lock.guard.patience import BUDGET, Patience

    return Patience(budget={**BUDGET, "first": first}) if first else Patience()


def _workers(plan: Plan) -> int:
    isolated = 0 if plan.quick else len(plan.cases)
    return isolated + 4 + plan.vision + (len(plan.variables) if plan.ablate else 0)


def _finish(
    asked: Asked, report: dict[str, Any], found: Judgement, written: dict[str, Path]
) -> int:
    from rdna1_lock.certify.judge import Verdict
    from rdna1_lock.certify.words import as_text

    certified = found.verdict is Verdict.CERTIFIED
    rehearsed = asked.rehearse and found.sweep_passed
    if asked.as_json:
        print_json(
            {
                "command": "certify",
                "verdict": found.verdict.value,
                "sweep-passed": found.sweep_passed,
                "passed": list(found.passed),
                "warned": list(found.warned),
                "failed": {name: found.reasons.get(name) for name in found.failed},
                "files": {name: str(path) for name, path in written.items()},
                "seconds": report["seconds"],
            }
        )
    elif not asked.quiet:
        click.echo(as_text(report, found))
        say("")
        for path in written.values():
            say(f"wrote {path}")
        if certified and asked.key is None:
            note("the certificate is unsigned; --key FILE signs it, and so does ssh-keygen -Y sign")
    return Exit.OK if certified or rehearsed else Exit.NO


def _tell(asked: Asked, text: str) -> None:
    if not (asked.quiet or asked.as_json):
        say(text)
