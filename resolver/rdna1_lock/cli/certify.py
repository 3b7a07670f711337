"""``rdna1-lock certify``: run the sweep on this machine's card and write the certificate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rdna1_lock.cli.locks import INDEX_OPTIONS, LOCK, options
from rdna1_lock.cli.progress import open_sweep_context
from rdna1_lock.cli.render import note, print_json, say, show
from rdna1_lock.errors import Exit

if TYPE_CHECKING:
    from rdna1_lock.tasks.certify import CertifyRequest, CertifyResult


@click.command("certify", short_help="Prove by a sweep that convolutions work on this card.")
@LOCK
@click.option(
    "--python",
    metavar="PATH",
    help="Python of an existing environment of the lock, or one to make an environment with.",
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
    help="Folder with the wheels [default: `wheels` in the lock folder].",
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
@click.option(
    "--sizes", metavar="N,N", help="Run only these sizes; the result is not a certificate."
)
@click.option(
    "--quick", is_flag=True, help="Run all cases in one process; the result is not a certificate."
)
@click.option(
    "--ablate", is_flag=True, help="Run again without each variable, and say which ones matter."
)
@click.option(
    "--challenge", metavar="NONCE", help="Use inputs that depend on somebody else's nonce."
)
@click.option("--rehearse", is_flag=True, help="Only rehearse, on any device.")
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "gpu"]),
    default="auto",
    show_default=True,
    help="Device of a rehearsal.",
)
@click.option("--gpu", metavar="SLOT", help="PCI slot of the card, if there are several.")
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
    help="Where to write the files [default: the lock folder].",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
def command(
    *,
    key: Path | None,
    dsse_key: Path | None,
    sizes: str | None,
    as_json: bool,
    quiet: bool,
    **arguments: Any,
) -> int:
    """Run the Conv2d sweep in an environment of exactly LOCK, and write a certificate.

    It certifies only on an RDNA1 card that the kernel shows. On anything else, or with
    --rehearse, it is a rehearsal and says so. Exit status: 0 if certified, or if a requested
    rehearsal passed; 1 otherwise.
    """
    from rdna1_lock.certify.proof.folder import Keys
    from rdna1_lock.tasks.certify import CertifyRequest, certify

    request = CertifyRequest(keys=Keys(ssh=key, dsse=dsse_key), sizes=_sizes(sizes), **arguments)
    with open_sweep_context(quiet=quiet or as_json) as context:
        done = certify(request, context)
    if as_json:
        print_json(_json(done))
    elif not quiet:
        _show(request, done)
    return Exit.OK if done.achieved else Exit.NO


def _sizes(text: str | None) -> frozenset[int] | None:
    if text is None:
        return None
    try:
        return frozenset(int(part) for part in text.split(","))
    except ValueError:
        from rdna1_lock.tasks.certify import bad_sizes

        raise bad_sizes(text) from None


def _json(done: CertifyResult) -> dict[str, Any]:
    found = done.judgement
    return {
        "command": "certify",
        "verdict": found.verdict.value,
        "sweep-passed": found.sweep_passed,
        "passed": list(found.passed),
        "warned": list(found.warned),
        "failed": {name: found.reasons.get(name) for name in found.failed},
        "files": {name: str(path) for name, path in done.files.items()},
        "seconds": done.report["seconds"],
    }


def _show(request: CertifyRequest, done: CertifyResult) -> None:
    from rdna1_lock.certify.show.text import as_text

    show(as_text(done.report, done.judgement))
    say("")
    for path in done.files.values():
        say(f"wrote {path}")
    if done.certified and request.keys.ssh is None:
        note("the certificate is unsigned; sign it with --key FILE, or with `ssh-keygen -Y sign`")
