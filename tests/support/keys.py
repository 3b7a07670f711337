"""Real SSH keys, and the file of those who are trusted: alice and bob, not mallory."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from rdna1_lock.certify.proof.signature import NAMESPACE


def make_keys(folder: Path) -> Path:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("no ssh-keygen on this machine")
    lines = []
    for name in ("alice", "bob", "mallory"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name]
        subprocess.run([*command, "-f", folder / name], check=True)
        public = (folder / f"{name}.pub").read_text().split()
        if name != "mallory":
            lines.append(f'{name}@example namespaces="{NAMESPACE}" {public[0]} {public[1]}\n')
    (folder / "allowed_signers").write_text("".join(lines))
    return folder


def sign(folder: Path, key: Path) -> None:
    """Sign a certificate as people do it by hand."""
    (folder / "certificate.json.sig").unlink(missing_ok=True)
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", NAMESPACE, "-f"]
    subprocess.run([*command, key, folder / "certificate.json"], check=True, capture_output=True)
