"""``rdna1-lock verify``: check the certificates of a lock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rdna1_lock.cli.locks import LOCK
from rdna1_lock.cli.render import data, note, print_json, say, show
from rdna1_lock.errors import Exit, UsageError

if TYPE_CHECKING:
    from rdna1_lock.certify.proof.check import Checked
    from rdna1_lock.tasks.verify import VerifyResult


@click.command("verify", short_help="Check the certificates of a lock.")
@LOCK
@click.option(
    "--signers",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Whom you trust: an allowed_signers file [default: the one in your configuration].",
)
@click.option(
    "--certificate",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Check only the certificate in this folder.",
)
@click.option(
    "--wheels",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder with the wheels [default: `wheels` in the lock folder].",
)
@click.option("--python", metavar="PATH", help="An interpreter with numpy, to check a challenge.")
@click.option(
    "--html",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write the report as an HTML page.",
)
@click.option("--markdown", is_flag=True, help="Print the report for an issue or a README.")
@click.option(
    "--compare",
    nargs=2,
    metavar="A B",
    type=click.Path(path_type=Path),
    help="Compare two certificates of the lock, named by their folders.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
def command(
    lock: Path,
    signers: Path | None,
    folder: Path | None,
    wheels: Path | None,
    python: str | None,
    html: Path | None,
    markdown: bool,
    compare: tuple[Path, Path] | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Check lock, wheels and signatures, and derive the verdict from the evidence again.

    Exit status: 0 if certified and signed by somebody whom you trust; 6 if certified, but
    unsigned or signed by somebody else; 1 if intact, but not a certificate (a rehearsal, a
    failure); 5 if anything was changed.
    """
    from rdna1_lock.tasks.context import Context
    from rdna1_lock.tasks.verify import VerifyRequest, verify

    if sum(map(bool, (html, markdown, compare))) > 1:
        raise UsageError("options-clash", "choose one of --html, --markdown and --compare")
    folders = compare or ((folder,) if folder else ())
    request = VerifyRequest(
        lock=lock, folders=folders, signers=signers, wheels=wheels, python=python
    )
    done = verify(request, Context())
    if compare:
        return _compare(done, as_json=as_json)
    if html or markdown:
        return _show_report(done.checked[0], html)
    if as_json:
        print_json(_json(done))
    elif not quiet:
        _show(done)
    return _status(done)


def _status(done: VerifyResult) -> Exit:
    if done.trusted:
        return Exit.OK
    return Exit.UNSIGNED if done.certified else Exit.NO


def _signer(item: Checked) -> str:
    found = item.signature
    if found.principal:
        return f"signed by {found.principal} ({found.key})"
    if found.trust.value == "unsigned":
        return "unsigned: anybody could have written it"
    return (
        f"signed by an unknown signer ({found.key or 'with a key that the envelope does not name'})"
    )


def _show(done: VerifyResult) -> None:
    from rdna1_lock.tasks.verify import count_witnesses

    for item in done.checked:
        _show_certificate(item)
    trusted, all_of_them = count_witnesses(done.trusted), count_witnesses(done.certified)
    say(
        f"{len(done.certified)} of {len(done.checked)} certify this lock;"
        f" by signer, card and kernel series: {trusted} that you trust, {all_of_them} in all"
    )
    say(
        f"the lock is intact; {done.wheels_here} of its {done.wheels_locked} wheels are here,"
        " and match"
    )
    if done.certified and done.signers is None:
        note("you trust no signer yet: name an allowed signers file with --signers")


def _show_certificate(item: Checked) -> None:
    from rdna1_lock.certify.show.summary import card_words, headline

    show(headline(item.judgement, stopped=bool(item.report["stopped"])))
    show(f"  {card_words(item.report)}, kernel {item.report['host']['kernel']}")
    show(f"  {_signer(item)}")
    show(f"  in {item.folder}")
    for reason in item.judgement.rehearsal:
        show(f"  {reason}")
    for text in item.notes:
        note(text)


def _json(done: VerifyResult) -> dict[str, Any]:
    from rdna1_lock.tasks.verify import count_witnesses

    return {
        "command": "verify",
        "verdict": "certified" if done.certified else "not certified",
        "exit-status": int(_status(done)),
        "wheels": {"here": done.wheels_here, "locked": done.wheels_locked},
        "witnesses": count_witnesses(done.trusted),
        "certificates": [_certificate_json(item) for item in done.checked],
    }


def _certificate_json(item: Checked) -> dict[str, Any]:
    found = item.judgement
    return {
        "verdict": found.verdict.value,
        "folder": str(item.folder),
        "sha256": item.digest,
        "trust": item.signature.trust.value,
        "signer": item.signature.principal,
        "key": item.signature.key,
        "card": item.card.get("name"),
        "gfx": item.card.get("gfx"),
        "pci": item.card.get("device"),
        "kernel-series": item.report["host"]["kernel_series"],
        "passed": len(found.passed),
        "warned": len(found.warned),
        "failed": {name: found.reasons.get(name) for name in found.failed},
    }


def _show_report(item: Checked, html: Path | None) -> int:
    if html is None:
        from rdna1_lock.certify.show.markdown import as_markdown

        data(as_markdown(item.report, item.judgement))
        return Exit.OK
    from rdna1_lock.certify.proof.folder import write_page
    from rdna1_lock.certify.show.page import render_page

    write_page(html, render_page(item.report, item.judgement))
    say(f"wrote {html}")
    return Exit.OK


def _compare(done: VerifyResult, *, as_json: bool) -> int:
    from rdna1_lock.certify.show.comparison import as_text, compare_reports

    one, other = done.checked
    found = compare_reports(one.report, other.report)
    if as_json:
        print_json({"command": "verify", **found})
    else:
        show(as_text(found, (str(one.folder), str(other.folder))))
    return Exit.OK
