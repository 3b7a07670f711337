"""Signatures by ``ssh-keygen -Y`` (SSHSIG): every user of git has the key, agents and FIDO work."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from rdna1_lock.errors import InputError, IntegrityError

NAMESPACE = "rdna1-lock-certificate-v1"
TIMEOUT = 300


class Trust(str, Enum):
    """What a signature says of who signed."""

    TRUSTED = "trusted"
    UNKNOWN = "unknown"
    UNSIGNED = "unsigned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who signed: the principal of the allowed signers, and the fingerprint of the key."""

    trust: Trust
    principal: str | None = None
    key: str | None = None


def ssh_keygen() -> str:
    """Return the program.

    Raises:
        InputError: it is not installed.

    """
    program = shutil.which("ssh-keygen")
    if program is None:
        raise InputError(
            "no-ssh-keygen",
            "there is no `ssh-keygen` on PATH, which signs and checks signatures",
            hint="install OpenSSH's client (openssh-client, openssh)",
        )
    return program


def sign(file: Path, key: Path) -> Path:
    """Sign a file with a key (private, or the public one of an agent); returns ``FILE.sig``.

    A passphrase is asked for on the terminal by ssh-keygen itself.

    Raises:
        InputError: ssh-keygen refuses; the file stays as it is, unsigned.

    """
    signed = file.with_name(f"{file.name}.sig")
    signed.unlink(missing_ok=True)
    done = subprocess.run(
        [ssh_keygen(), "-Y", "sign", "-f", str(key), "-n", NAMESPACE, str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    if done.returncode or not signed.exists():
        raise InputError(
            "not-signed",
            f"ssh-keygen did not sign with {key}",
            facts=tuple(done.stderr.strip().splitlines()[-3:]),
            hint=f"the certificate is written; sign it with: ssh-keygen -Y sign -f KEY -n {NAMESPACE} {file}",
        )
    return signed


def check_signature(
    content: bytes, signature: bytes, signers: Path | None, *, name: str
) -> Signature:
    """Hold a signature against content, and its key against the allowed signers.

    Raises:
        IntegrityError: the signature is not one of this content.
        InputError: there is no ssh-keygen, or the file of signers cannot be read.

    """
    program = ssh_keygen()
    if signers is not None and not signers.is_file():
        raise InputError("no-signers", f"there is no file of allowed signers {signers}")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "signature"
        place.write_bytes(signature)
        intact = _run(program, "check-novalidate", "-s", place, content=content)
        match = re.search(r"SHA256:\S+", intact.stdout)
        if intact.returncode or match is None:
            raise IntegrityError(
                "bad-signature",
                f"the signature of {name} is not one of its content",
                facts=tuple(line for line in intact.stderr.strip().splitlines()[-2:] if line),
                hint="the file was changed after it was signed, or the signature is another's",
            )
        key = match[0]
        if signers is None:
            return Signature(trust=Trust.UNKNOWN, key=key)
        named = _run(program, "find-principals", "-s", place, "-f", signers, content=content)
        for principal in named.stdout.split("\n")[0].split(",") if named.stdout else ():
            checked = _run(
                program, "verify", "-s", place, "-f", signers, "-I", principal, content=content
            )
            if checked.returncode == 0:
                return Signature(trust=Trust.TRUSTED, principal=principal, key=key)
    return Signature(trust=Trust.UNKNOWN, key=key)


def _run(
    program: str, verb: str, *arguments: str | Path, content: bytes
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [program, "-Y", verb, "-n", NAMESPACE, *map(str, arguments)],
        input=content,
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
