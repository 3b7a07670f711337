"""Signatures by ``ssh-keygen -Y`` (SSHSIG), with the keys, agents and tokens that git users have."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from rdna1_lock.errors import InputError, IntegrityError

if TYPE_CHECKING:
    from collections.abc import Mapping

# ssh-keygen(1), -Y sign: the namespace keeps a signature made for one purpose from counting for
# another.
NAMESPACE = "rdna1-lock-certificate-v1"
TIMEOUT = 300


class Trust(str, Enum):
    """What a signature says about who signed."""

    TRUSTED = "trusted"
    UNKNOWN = "unknown"
    UNSIGNED = "unsigned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who signed: the principal of the allowed signers, and the fingerprint of the key."""

    trust: Trust
    principal: str | None = None
    key: str | None = None


def ssh_keygen(environ: Mapping[str, str]) -> str:
    """Return the program.

    Raises:
        InputError: it is not installed.

    """
    program = shutil.which("ssh-keygen", path=environ.get("PATH"))
    if program is None:
        raise InputError(
            "no-ssh-keygen",
            "`ssh-keygen` is not on PATH; signing and checking signatures require it",
            hint="install the OpenSSH client (openssh-client, openssh)",
        )
    return program


def sign(file: Path, key: Path, *, environ: Mapping[str, str]) -> Path:
    """Sign a file with a key (private, or the public half of one in an agent).

    Returns ``FILE.sig``. ssh-keygen itself asks for a passphrase, on the terminal.

    Raises:
        InputError: ssh-keygen fails; the file stays as it is, unsigned.

    """
    signed = file.with_name(f"{file.name}.sig")
    signed.unlink(missing_ok=True)
    done = subprocess.run(
        [ssh_keygen(environ), "-Y", "sign", "-f", str(key), "-n", NAMESPACE, str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
        env=dict(environ),
    )
    if done.returncode or not signed.exists():
        raise InputError(
            "not-signed",
            f"ssh-keygen could not sign with {key}",
            facts=tuple(done.stderr.strip().splitlines()[-3:]),
            hint=f"the certificate is written; sign it with: ssh-keygen -Y sign -f KEY -n {NAMESPACE} {file}",
        )
    return signed


@dataclass(frozen=True, kw_only=True)
class Signers:
    """Whom a reader trusts: an allowed signers file, if any, and where to find ssh-keygen."""

    file: Path | None
    environ: Mapping[str, str]

    def check(self, content: bytes, signature: bytes, *, name: str) -> Signature:
        """Check a signature against content, and its key against the allowed signers.

        Raises:
            IntegrityError: the signature was not made from this content.
            InputError: ssh-keygen is not installed, or the allowed signers file does not exist.

        """
        program = ssh_keygen(self.environ)
        if self.file is not None and not self.file.is_file():
            raise InputError("no-signers", f"the allowed signers file {self.file} does not exist")
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "signature"
            place.write_bytes(signature)
            ask = _Question(program=program, signature=place, content=content)
            key = ask.key(name)
            principal = None if self.file is None else ask.principal(self.file)
        if principal is None:
            return Signature(trust=Trust.UNKNOWN, key=key)
        return Signature(trust=Trust.TRUSTED, principal=principal, key=key)


@dataclass(frozen=True, kw_only=True)
class _Question:
    program: str
    signature: Path
    content: bytes

    def key(self, name: str) -> str:
        """Return the fingerprint of the key that signed.

        ssh-keygen(1), -Y check-novalidate: the signature is intact; says nothing about its key.
        """
        intact = self._run("check-novalidate")
        match = re.search(r"SHA256:\S+", intact.stdout)
        if intact.returncode or match is None:
            raise IntegrityError(
                "bad-signature",
                f"the signature does not match {name}",
                facts=tuple(line for line in intact.stderr.strip().splitlines()[-2:] if line),
                hint="the file was changed after it was signed, or the signature belongs to another file",
            )
        return match[0]

    def principal(self, signers: Path) -> str | None:
        """Return the first principal for whom the signature is valid.

        ssh-keygen(1), -Y find-principals prints those listed for the key, one a line or separated
        by commas; only -Y verify also applies the namespaces and the period of validity.
        """
        named = self._run("find-principals", "-f", signers)
        for principal in named.stdout.replace("\n", ",").split(","):
            if principal and self._run("verify", "-f", signers, "-I", principal).returncode == 0:
                return principal
        return None

    def _run(self, verb: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [
                *(self.program, "-Y", verb, "-n", NAMESPACE, "-s", str(self.signature)),
                *map(str, arguments),
            ],
            input=self.content,
            capture_output=True,
            check=False,
            timeout=TIMEOUT,
        )
        return subprocess.CompletedProcess(
            done.args,
            done.returncode,
            done.stdout.decode("utf-8", "replace"),
            done.stderr.decode("utf-8", "replace"),
        )
