"""OpenSSH's file of allowed signers: what we read of it, and what ssh-keygen makes of the same."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from rdna1_lock.certify.proof.allowed_signers import matches, read_allowed_signers
from rdna1_lock.certify.proof.signature import NAMESPACE
from rdna1_lock.errors import InputError

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGk0nJ5Qn0m0mV9q1J4m0i8m2o0yE2nS0m9yQ0m0Qm0Q"
TRUSTED = {
    "plain": f"a@example {KEY}",
    "with a comment": f"a@example {KEY} laptop of 2026",
    "two principals": f"a@example,b@example {KEY}",
    "tabs": f"a@example\t{KEY}",
    "our namespace": f'a@example namespaces="{NAMESPACE}" {KEY}',
    "our namespace among others": f'a@example namespaces="git,{NAMESPACE}" {KEY}',
    "a pattern": f'a@example namespaces="rdna1-lock-*" {KEY}',
    "in capitals": f'a@example NAMESPACES="{NAMESPACE}" {KEY}',
}
NOT_TRUSTED = {
    "another namespace": f'a@example namespaces="git" {KEY}',
    "another namespace in capitals": f'a@example Namespaces="git" {KEY}',
    "another namespace without quotes": f"a@example namespaces=git {KEY}",
    "without quotes": f"a@example namespaces={NAMESPACE} {KEY}",
    "excluded": f'a@example namespaces="*,!{NAMESPACE}" {KEY}',
    "expired": f'a@example valid-before="20200101" {KEY}',
    "expired, in our namespace": f'a@example namespaces="{NAMESPACE}",valid-before="20200101Z" {KEY}',
    "expired, in capitals": f'a@example Valid-Before="20200101" {KEY}',
    "not yet valid": f'a@example valid-after="29990101" {KEY}',
    "an authority": f"a@example cert-authority {KEY}",
    "an authority in capitals": f"a@example Cert-Authority {KEY}",
    "an unknown option": f"a@example no-touch-required {KEY}",
    "namespaces twice": f'a@example namespaces="git",namespaces="{NAMESPACE}" {KEY}',
    "a quote that does not end": f'a@example namespaces="{NAMESPACE} {KEY}',
    "commented out": f"# a@example {KEY}",
    "another type": "a@example ssh-rsa AAAAB3NzaC1yc2E",
    "no key": "a@example ssh-ed25519",
    "no principal": KEY,
    "a key in an option": f'a@example namespaces="git ssh-ed25519 AAAA" {KEY}',
}


@pytest.fixture
def read(tmp_path: Path):
    def call(text: str):
        file = tmp_path / "allowed_signers"
        file.write_text(text)
        return read_allowed_signers(file, namespace=NAMESPACE)

    return call


@pytest.mark.parametrize("name", TRUSTED)
def test_a_key_that_may_sign(read, name):
    [found] = read(f"# us\n\n{TRUSTED[name]}\n")
    assert (found.principal, found.line) == ("a@example", KEY)


@pytest.mark.parametrize("name", NOT_TRUSTED)
def test_a_key_that_may_not_sign(read, name):
    assert read(NOT_TRUSTED[name]) == []


def test_one_line_does_not_spoil_another(read):
    lines = [*NOT_TRUSTED.values(), TRUSTED["plain"], *NOT_TRUSTED.values()]
    assert len(read("\n".join(lines))) == 1


def test_a_file_that_cannot_be_read(tmp_path):
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(InputError, match="allowed signers"):
            read_allowed_signers(path, namespace=NAMESPACE)


@pytest.mark.parametrize(
    ("patterns", "word", "expected"),
    [
        ("*", "x", True),
        ("a,b", "b", True),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("a.c", "abc", False),
        ("[ab]", "a", False),
        ("*,!b", "b", False),
        ("!b", "a", False),
        ("", "a", False),
    ],
)
def test_patterns_are_those_of_ssh_config(patterns, word, expected):
    assert matches(patterns, word) is expected


@pytest.mark.parametrize("name", [*TRUSTED, *NOT_TRUSTED])
def test_ssh_keygen_agrees(tmp_path: Path, name):
    """Of these lines, it trusts the same ones for a signature of its own."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("no ssh-keygen on this machine")
    key, content = tmp_path / "key", tmp_path / "content"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    content.write_text("x")
    sign = ["ssh-keygen", "-q", "-Y", "sign", "-n", NAMESPACE, "-f", key, content]
    subprocess.run(sign, check=True, capture_output=True)
    public = " ".join((tmp_path / "key.pub").read_text().split()[:2])
    line = {**TRUSTED, **NOT_TRUSTED}[name].replace(KEY, public)
    signers = tmp_path / "allowed_signers"
    signers.write_text(f"{line}\n")
    verify = ["ssh-keygen", "-Y", "verify", "-n", NAMESPACE, "-I", "a@example"]
    done = subprocess.run(
        [*verify, "-f", signers, "-s", tmp_path / "content.sig"],
        input=b"x",
        capture_output=True,
        check=False,
    )
    ours = bool(read_allowed_signers(signers, namespace=NAMESPACE))
    assert ours is (name in TRUSTED)
    assert (done.returncode == 0) is ours
