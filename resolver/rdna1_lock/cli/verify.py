"""``rdna1-lock verify``: what a lock's certificates are worth to who reads them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rdna1_lock.cli.locks import LOCK
from rdna1_lock.cli.render import note, print_json, say
from rdna1_lock.errors import Error, Exit, InputError, UsageError
from rdna1_lock.lock.place import lock_file, open_lock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rdna1_lock.certify.verify import Checked
    from rdna1_lock.lock.model import Lock


@click.command("verify", short_help="Check the certificates of a lock.")
@LOCK
@click.option(
    "--signers",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Whom you trust: an allowed_signers file [default: that of your configuration, if any].",
)
@click.option(
    "--certificate",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Only the certificate in this folder.",
)
@click.option(
    "--wheels",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of the wheels [default: `wheels` beside the lock].",
)
@click.option("--python", metavar="PATH", help="An interpreter with numpy, to check a challenge.")
@click.option(
    "--html", metavar="FILE", type=click.Path(path_type=Path), help="Write the page of a report."
)
@click.option("--markdown", is_flag=True, help="Print a report for an issue or a README.")
@click.option(
    "--compare",
    nargs=2,
    metavar="A B",
    type=click.Path(path_type=Path),
    help="Compare two certificates of the lock, by their folders.",
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
    """Check lock, wheels, signatures, and the verdict made anew from the evidence.

    Exit status 0: certified, by somebody whom you trust. 6: certified, but unsigned or by an
    unknown signer. 1: whole, but no certificate (a rehearsal, a failure). 5: something was changed.
    """
    from rdna1_lock.certify.verify import find_certificates
    from rdna1_lock.install.wheels import check_wheels

    if sum(map(bool, (html, markdown, compare))) > 1:
        raise UsageError("options-clash", "choose one of --html, --markdown and --compare")
    opened, beside = open_lock(lock)
    seen = check_wheels(opened, wheels or beside)
    base = lock_file(lock).parent
    places = list(compare) if compare else [folder] if folder else find_certificates(base)
    if not places:
        raise InputError(
            "no-certificate",
            f"{base} has no certificate",
            hint="`rdna1-lock certify LOCK` makes one on a machine with an RDNA1 card",
        )
    signers = signers or _own_signers()
    checked = [_check(place, opened, lock, signers, python) for place in places]
    if compare:
        return _compare(checked, as_json=as_json)
    if html or markdown:
        return _show(checked, html)
    status = _status(checked)
    if as_json:
        print_json(_json(checked, seen, status))
    elif not quiet:
        _print(checked, seen, signers)
    return status


def _own_signers() -> Path | None:
    """Return the user's own file of signers; never one that came with a lock."""
    from platformdirs import user_config_path

    path = user_config_path("rdna1-lock") / "allowed_signers"
    return path if path.is_file() else None


def _check(
    place: Path, lock: Lock, path: Path, signers: Path | None, python: str | None
) -> Checked:
    from rdna1_lock.certify.expected import expected_digests
    from rdna1_lock.certify.page import render_page
    from rdna1_lock.certify.verify import check_certificate, same_page

    try:
        found = check_certificate(
            place,
            lock,
            lock_file(path).read_bytes(),
            signers=signers,
            expected=lambda challenge: expected_digests(
                challenge, Path(python) if python else None
            ),
        )
        same_page(found, render_page)
    except Error as error:
        error.facts = (f"in {place}", *error.facts)
        raise
    return found


def _status(checked: Sequence[Checked]) -> Exit:
    from rdna1_lock.certify.judge import Verdict

    if any(item.trusted for item in checked):
        return Exit.OK
    if any(item.judgement.verdict is Verdict.CERTIFIED for item in checked):
        return Exit.UNSIGNED
    return Exit.NO


def _signer(item: Checked) -> str:
    found = item.signature
    if found.principal:
        return f"signed by {found.principal} ({found.key})"
    if found.trust.value == "unsigned":
        return "unsigned: anybody can have written it"
    return f"signed by somebody unknown to you ({found.key or 'a key that is not in the envelope'})"


def _print(checked: Sequence[Checked], seen: tuple[int, int], signers: Path | None) -> None:
    from rdna1_lock.certify.judge import Verdict
    from rdna1_lock.certify.summary import card_words, headline

    for item in checked:
        click.echo(headline(item.judgement, stopped=bool(item.report["stopped"])))
        click.echo(f"  {card_words(item.report)}, kernel {item.report['host']['kernel']}")
        click.echo(f"  {_signer(item)}")
        click.echo(f"  in {item.folder}")
        for reason in item.judgement.rehearsal:
            click.echo(f"  {reason}")
        for text in item.notes:
            note(text)
    certified = [item for item in checked if item.judgement.verdict is Verdict.CERTIFIED]
    trusted = {item.witness for item in certified if item.trusted}
    say(
        f"{len(certified)} of {len(checked)} certify this lock; by signer, card and kernel series"
        f" {len(trusted)} of people whom you trust, {len({i.witness for i in certified})} in all"
    )
    say(f"the lock is whole; {seen[0]} of its {seen[1]} wheels are here, and right")
    if certified and signers is None:
        note("nobody is trusted yet: name a file of allowed signers with --signers")


def _json(checked: Sequence[Checked], seen: tuple[int, int], status: Exit) -> dict[str, Any]:
    return {
        "command": "verify",
        "verdict": "certified" if status in {Exit.OK, Exit.UNSIGNED} else "not certified",
        "exit-status": int(status),
        "wheels": {"here": seen[0], "locked": seen[1]},
        "witnesses": len({item.witness for item in checked if item.trusted}),
        "certificates": [
            {
                "verdict": item.judgement.verdict.value,
                "folder": str(item.folder),
                "sha256": item.digest,
                "trust": item.signature.trust.value,
                "signer": item.signature.principal,
                "key": item.signature.key,
                "card": item.card.get("name"),
                "gfx": item.card.get("gfx"),
                "pci": item.card.get("device"),
                "kernel-series": item.report["host"]["kernel_series"],
                "passed": len(item.judgement.passed),
                "warned": len(item.judgement.warned),
                "failed": {n: item.judgement.reasons.get(n) for n in item.judgement.failed},
            }
            for item in checked
        ],
    }


def _show(checked: Sequence[Checked], html: Path | None) -> int:
    from rdna1_lock.certify.page import render_page
    from rdna1_lock.certify.words import as_markdown

    item = checked[0]
    if html is None:
        click.echo(as_markdown(item.report, item.judgement), nl=False)
        return Exit.OK
    try:
        html.write_text(render_page(item.report, item.judgement), "utf-8")
    except OSError as error:
        raise InputError("cannot-write", f"{html} cannot be written: {error.strerror}") from error
    say(f"wrote {html}")
    return Exit.OK


def _compare(checked: Sequence[Checked], *, as_json: bool) -> int:
    from rdna1_lock.certify.words import compare, compare_text

    found = compare(checked[0].report, checked[1].report)
    if as_json:
        print_json({"command": "verify", **found})
    else:
        click.echo(compare_text(found, (str(checked[0].folder), str(checked[1].folder))))
    return Exit.OK
