"""``verify`` with DSSE envelopes: two forms of one certificate, and keys that may not sign."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from rdna1_lock.certify.proof.dsse import make_envelope
from rdna1_lock.certify.proof.signature import NAMESPACE
from support.evidence import LOCK, make_report, write_certificate
from support.keys import make_keys, sign


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def lock(tmp_path: Path, run, keys: Path) -> Path:
    """A lock folder with a certificate and its envelope, signed by alice."""
    folder = Path("lock").resolve()
    shutil.copytree(LOCK.parent, folder)
    write_certificate(folder, *make_report(tmp_path))
    seal(folder, keys / "alice")
    return folder


def seal(folder: Path, key: Path) -> None:
    statement = (folder / "certificate.json").read_bytes()
    (folder / "certificate.dsse.json").write_bytes(make_envelope(statement, key))


@pytest.mark.parametrize("signed", [False, True])
def test_two_forms_that_differ_are_refused(lock: Path, tmp_path, keys: Path, run, signed):
    """Each is intact and signed by itself: whoever reads one does not see the other."""
    write_certificate(lock, *make_report(tmp_path / "again", rehearsal=True))
    if signed:
        sign(lock, keys / "alice")
    result = run("verify", lock, "--signers", keys / "allowed_signers")
    assert (result.status, result.code) == (5, "two-certificates")
    assert "certificate.dsse.json hold different statements" in result.err
    seal(lock, keys / "alice")
    assert run("verify", lock, "--signers", keys / "allowed_signers").status == 1


def test_one_trusted_form_is_enough(lock: Path, keys: Path, run):
    seal(lock, keys / "mallory")
    sign(lock, keys / "bob")
    result = run("verify", lock, "--signers", keys / "allowed_signers", "--json")
    assert result.status == 0, result.err
    assert json.loads(result.out)["certificates"][0]["signer"] == "bob@example"
    seal(lock, keys / "alice")
    sign(lock, keys / "mallory")
    result = run("verify", lock, "--signers", keys / "allowed_signers", "--json")
    assert json.loads(result.out)["certificates"][0]["signer"] == "alice@example"


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ("", 0),
        (f'namespaces="{NAMESPACE}"', 0),
        ('namespaces="git"', 6),
        ('Namespaces="git"', 6),
        ('valid-before="20200101"', 6),
        ('VALID-BEFORE="20200101"', 6),
        (f'namespaces="{NAMESPACE}",valid-before="20200101"', 6),
        (f'valid-after="29990101",namespaces="{NAMESPACE}"', 6),
        ("cert-authority", 6),
    ],
)
def test_a_key_that_may_not_sign_is_not_trusted_in_either_form(lock, keys, run, options, status):
    signers = lock.parent / "signers"
    kind, public, *_ = (keys / "alice.pub").read_text().split()
    signers.write_text(f"alice@example {options} {kind} {public}\n")
    assert run("verify", lock, "--signers", signers).status == status
    (lock / "certificate.dsse.json").unlink()
    sign(lock, keys / "alice")
    assert run("verify", lock, "--signers", signers).status == status


@pytest.mark.parametrize(
    "change",
    [
        lambda e: e.update(payloadType="application/json"),
        lambda e: e.update(payload="!"),
        lambda e: e.pop("signatures"),
        lambda e: e.update(signatures=[{"keyid": ""}]),
        lambda e: e.update(signatures=1),
    ],
)
def test_what_is_not_an_envelope(lock: Path, keys: Path, run, change):
    file = lock / "certificate.dsse.json"
    envelope = json.loads(file.read_text())
    change(envelope)
    file.write_text(json.dumps(envelope))
    result = run("verify", lock, "--signers", keys / "allowed_signers")
    assert (result.status, result.code) == (5, "bad-envelope")


def test_the_key_id_decides_nothing(lock: Path, keys: Path, run):
    file = lock / "certificate.dsse.json"
    envelope = json.loads(file.read_text())
    envelope["signatures"].insert(0, {"keyid": "alice@example", "sig": "AAAA"})
    file.write_text(json.dumps(envelope))
    assert run("verify", lock, "--signers", keys / "allowed_signers").status == 0
    del envelope["signatures"][1]
    file.write_text(json.dumps(envelope))
    assert run("verify", lock, "--signers", keys / "allowed_signers").status == 6
