"""Check the certificates of a lock, and its wheels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rdna1_lock.certify.proof.verdict import Verdict
from rdna1_lock.errors import Error, InputError
from rdna1_lock.lock.files import LARGEST
from rdna1_lock.lock.place import lock_file, open_lock
from rdna1_lock.regular import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rdna1_lock.certify.proof.check import Checked
    from rdna1_lock.certify.proof.signature import Signers
    from rdna1_lock.lock.model import Lock
    from rdna1_lock.tasks.context import Context


@dataclass(frozen=True, kw_only=True)
class VerifyRequest:
    """Which certificates to check.

    ``folders`` are by default all of the lock's; ``signers`` by default the allowed signers file
    in the user's configuration. ``python`` is an interpreter with numpy, for a challenge.
    """

    lock: Path
    folders: tuple[Path, ...] = ()
    signers: Path | None = None
    wheels: Path | None = None
    python: str | None = None


@dataclass(frozen=True, kw_only=True)
class VerifyResult:
    """The certificates, all of them intact, and how many of the locked wheels are here."""

    checked: tuple[Checked, ...]
    wheels_here: int
    wheels_locked: int
    signers: Path | None

    @property
    def certified(self) -> tuple[Checked, ...]:
        """The ones that certify the lock, whoever signed them."""
        return tuple(item for item in self.checked if item.judgement.verdict is Verdict.CERTIFIED)

    @property
    def trusted(self) -> tuple[Checked, ...]:
        """The ones that certify the lock and are signed by somebody whom the reader trusts."""
        return tuple(item for item in self.checked if item.trusted)


def count_witnesses(checked: Iterable[Checked]) -> int:
    """Count certificates; those of one signer, card and kernel series count once."""
    return len({item.witness for item in checked})


def verify(request: VerifyRequest, context: Context) -> VerifyResult:
    """Check certificates and wheels of a lock.

    Raises:
        IntegrityError: anything was changed, in any of them.
        InputError: there is no certificate, or one belongs to another version of the suite.

    """
    from rdna1_lock.certify.proof.folder import find_certificates
    from rdna1_lock.certify.proof.signature import Signers
    from rdna1_lock.install.wheels import check_wheels

    # An old schema is not remarked on: renewing the lock would invalidate its certificates.
    lock, beside = open_lock(request.lock)
    here, locked = check_wheels(lock, request.wheels or beside)
    file = lock_file(request.lock)
    folders = request.folders or tuple(find_certificates(file.parent))
    if not folders:
        raise InputError(
            "no-certificate",
            f"{file.parent} has no certificate",
            hint="run `rdna1-lock certify LOCK` on a machine with an RDNA1 card",
        )
    signers = Signers(file=request.signers or own_signers(context.environ), environ=context.environ)
    checked = []
    for folder in folders:
        context.check()
        checked.append(_check(folder, lock, file, signers, request.python))
    return VerifyResult(
        checked=tuple(checked), wheels_here=here, wheels_locked=locked, signers=signers.file
    )


def own_signers(environ: Mapping[str, str]) -> Path | None:
    """Return the user's own allowed signers file; never one that came with a lock.

    XDG Base Directory Specification: ``$XDG_CONFIG_HOME``, or ``~/.config`` where it is not set.
    """
    home = Path(environ.get("HOME") or "~").expanduser()
    base = environ.get("XDG_CONFIG_HOME", "").strip() or home / ".config"
    path = Path(base) / "rdna1-lock" / "allowed_signers"
    return path if path.is_file() else None


def _check(folder: Path, lock: Lock, file: Path, signers: Signers, python: str | None) -> Checked:
    from rdna1_lock.certify.proof.check import check_certificate, check_page
    from rdna1_lock.certify.run.expected import expected_digests
    from rdna1_lock.certify.show.page import render_page

    def expected(challenge: str | None) -> Mapping[str, Mapping[str, str]]:
        named = Path(python) if python else None
        return expected_digests(challenge, named, environ=signers.environ)

    try:
        found = check_certificate(
            folder, lock, read_regular(file, LARGEST), signers=signers, expected=expected
        )
        check_page(found, render_page)
    except Error as error:
        error.facts = (f"in {folder}", *error.facts)
        raise
    return found
