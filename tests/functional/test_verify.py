"""``verify``: real signatures, and every way to change what was certified."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from rdna1_lock.certify.proof.signature import NAMESPACE
from rdna1_lock.certify.proof.strictjson import dump, sha256
from rdna1_lock.guard.outcome import Outcome, Record
from support.evidence import LOCK, make_report, write_certificate
from support.keys import make_keys, sign

CASE = "conv2d/1x3x44-64/find"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def lock(tmp_path: Path, run) -> Path:
    """A lock folder with a certificate in it; ``run`` stands in its parent."""
    folder = Path("lock").resolve()
    shutil.copytree(LOCK.parent, folder)
    write_certificate(folder, *make_report(tmp_path))
    return folder


def test_signed_by_somebody_whom_you_trust(lock: Path, keys: Path, run):
    sign(lock, keys / "alice")
    result = run("verify", lock, "--signers", keys / "allowed_signers")
    assert result.status == 0, result.err
    assert result.out.startswith("certified: 72 of 72 convolution passes exact\n")
    assert "signed by alice@example (SHA256:" in result.out
    assert "Radeon RX 5600 XT, gfx1010, PCI 1002:731f, kernel 6.8.0-45" in result.out
    # The stock command comes to the same.
    stock = subprocess.run(
        [
            *("ssh-keygen", "-Y", "verify", "-f", keys / "allowed_signers", "-I", "alice@example"),
            *("-n", NAMESPACE, "-s", lock / "certificate.json.sig"),
        ],
        input=(lock / "certificate.json").read_bytes(),
        capture_output=True,
        check=False,
    )
    assert stock.returncode == 0
    assert b"Good" in stock.stdout


def test_unsigned_and_unknown_signers_are_no_yes(lock: Path, keys: Path, run):
    unsigned = run("verify", lock)
    assert unsigned.status == 6
    assert "unsigned: anybody could have written it" in unsigned.out
    sign(lock, keys / "mallory")
    unknown = run("verify", lock, "--signers", keys / "allowed_signers")
    assert unknown.status == 6
    assert "an unknown signer (SHA256:" in unknown.out
    sign(lock, keys / "alice")
    nobody = run("verify", lock)
    assert (nobody.status, "--signers" in nobody.err) == (6, True)


def test_signers_that_come_with_a_lock_are_not_trusted(lock: Path, keys: Path, run):
    sign(lock, keys / "mallory")
    public = (keys / "mallory.pub").read_text()
    (lock / "allowed_signers").write_text(f"mallory@example {public}")
    (lock.parent / "allowed_signers").write_text(f"mallory@example {public}")
    assert run("verify", lock).status == 6


def test_your_own_file_of_signers_is_found(lock: Path, keys: Path, run, monkeypatch, tmp_path):
    sign(lock, keys / "bob")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    place = tmp_path / "config" / "rdna1-lock"
    place.mkdir(parents=True)
    shutil.copyfile(keys / "allowed_signers", place / "allowed_signers")
    assert run("verify", lock).status == 0


def test_a_key_of_another_purpose_is_not_trusted(lock: Path, keys: Path, run, tmp_path):
    sign(lock, keys / "alice")
    public = (keys / "alice.pub").read_text().split()
    other = tmp_path / "git_signers"
    other.write_text(f'alice@example namespaces="git" {public[0]} {public[1]}\n')
    assert run("verify", lock, "--signers", other).status == 6
    expired = tmp_path / "expired"
    expired.write_text(f'alice@example valid-before="20200101" {public[0]} {public[1]}\n')
    assert run("verify", lock, "--signers", expired).status == 6


FILES = ["pylock.toml", "certificate.json", "report.json", "certificate.json.sig", "report.html"]


@pytest.mark.parametrize("name", FILES)
def test_no_byte_can_be_changed(lock: Path, keys: Path, run, name: str):
    sign(lock, keys / "alice")
    whole = (lock / name).read_bytes()
    chance = random.Random(44)
    places = {0, len(whole) - 1, *(chance.randrange(len(whole)) for _ in range(25))}
    for place in sorted(places):
        for changed in (
            whole[:place] + bytes([whole[place] ^ 0x20]) + whole[place + 1 :],
            whole[:place] + whole[place + 1 :],
        ):
            (lock / name).write_bytes(changed)
            result = run("verify", lock, "--signers", keys / "allowed_signers", "-q")
            same = name.endswith(".sig") and _decoded(changed) == _decoded(whole)
            assert result.status in ({0, 5} if same else {3, 5}), (place, result.err)
    (lock / name).write_bytes(whole)
    assert run("verify", lock, "--signers", keys / "allowed_signers").status == 0


def _decoded(signature: bytes) -> bytes:
    """Return what an armoured signature says: white space in it says nothing."""
    lines = signature.decode("latin-1").split("-----")
    return "".join(lines[2].split()).encode() if len(lines) == 5 else signature


@pytest.mark.parametrize("name", ["certificate.json", "report.json"])
def test_no_byte_of_an_unsigned_certificate_can_be_changed(lock: Path, run, name: str):
    whole = (lock / name).read_bytes()
    chance = random.Random(45)
    for place in [0, *(chance.randrange(len(whole)) for _ in range(20))]:
        (lock / name).write_bytes(whole[:place] + b" " + whole[place:])
        assert run("verify", lock, "-q").status == 5
    (lock / name).write_bytes(whole)


def resigned(lock: Path, keys: Path, run, *, statement=None, report=None):
    """Change certificate or report and sign again, as a dishonest signer can."""
    data = json.loads((lock / "report.json").read_bytes())
    told = json.loads((lock / "certificate.json").read_bytes())
    if report is not None:
        report(data)
        (lock / "report.json").write_bytes(dump(data))
        for entry in told["predicate"]["configuration"]:
            if entry["name"] == "report.json":
                entry["digest"]["sha256"] = sha256(dump(data))
    if statement is not None:
        statement(told)
    (lock / "certificate.json").write_bytes(dump(told))
    (lock / "report.html").unlink(missing_ok=True)
    sign(lock, keys / "alice")
    return run("verify", lock, "--signers", keys / "allowed_signers")


def hang(report):
    report["cases"][CASE] = {"outcome": "hang", "phase": "first"}


def drop(report):
    del report["cases"][CASE]


def expect_otherwise(report):
    for leg in (report["cases"][CASE]["measured"], report["shared"]["cases"][CASE]):
        leg["tensors"]["y"]["sha256"] = "0" * 64


CHANGES = {
    "a hang is called a pass": hang,
    "a case is dropped": drop,
    "another answer": expect_otherwise,
    "a check is dropped": lambda r: r["cases"][CASE]["measured"].pop("adjoint"),
    "an error above the bound": lambda r: r["cases"][CASE]["measured"]["tensors"]["dw"].update(k=99),
    "an easier suite": lambda r: r["suite"].update(sha256="0" * 64),
    "fewer cases in the suite": lambda r: r["suite"].update(cases=r["suite"]["cases"][:2]),
    "a CPU": lambda r: r["device"].update(kind="cpu"),
    "a rehearsal called otherwise": lambda r: r.update(rehearsal=True),
    "other variables": lambda r: r["environment"]["variables"].update(HSA_OVERRIDE_GFX_VERSION="9.0.0"),
    "another lock": lambda r: r["lock"].update(sha256="0" * 64),
    "hardware that was not certified": lambda r: r["hardware"]["gpus"][0].update(vbios="other"),
    "environment that was not certified": lambda r: r["environment"].update(python="3.9.1"),
    "evidence of no form": lambda r: r.update(hardware=None),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_evidence_that_was_changed_and_signed_again_is_caught(lock, keys, run, change):
    result = resigned(lock, keys, run, report=CHANGES[change])
    assert result.status == 5, result.out + result.err
    assert result.code in {"verdict-differs", "other-suite", "other-lock", "bad-certificate"}


@pytest.mark.parametrize("key", ["result", "passedTests", "failedTests", "configuration"])
def test_a_statement_that_was_changed_and_signed_again_is_caught(lock, keys, run, key):
    def change(told):
        told["predicate"][key] = {"result": "WARNED"}.get(key, told["predicate"][key][:-1] or ["x"])

    assert resigned(lock, keys, run, statement=change).status == 5


def test_a_verdict_that_is_not_what_the_evidence_makes_is_told_with_the_reason(lock, keys, run):
    result = resigned(lock, keys, run, report=hang)
    assert f"{CASE}/forward is listed as passed: hang in phase first" in result.err


def test_what_cannot_be_caught(lock: Path, tmp_path: Path, keys: Path, run):
    """A lying signer: consistent evidence with made-up times, as docs/certificates.md says."""

    def lie(evidence):
        evidence.isolated[CASE].cases[0]["time"]["warm_forward"] = 1e-9

    write_certificate(lock, *make_report(tmp_path / "lie", change=lie))
    sign(lock, keys / "alice")
    assert run("verify", lock, "--signers", keys / "allowed_signers").status == 0


def test_a_wheel_that_is_not_the_locked_one(lock: Path, run):
    name = next(LOCK.parent.glob("requirements.txt")) and "idna"
    locked = [line for line in (lock / "pylock.toml").read_text().splitlines() if name in line]
    wheel = next(
        line.split('"')[1] for line in locked if line.startswith("name = ") and ".whl" in line
    )
    (lock / "wheels").mkdir()
    (lock / "wheels" / wheel).write_bytes(b"another")
    result = run("verify", lock)
    assert (result.status, result.code) == (5, "hash-mismatch")


def test_a_rehearsal_is_no_certificate_whoever_signs_it(
    lock: Path, tmp_path: Path, keys: Path, run
):
    write_certificate(lock, *make_report(tmp_path / "r", rehearsal=True))
    sign(lock, keys / "alice")
    result = run("verify", lock, "--signers", keys / "allowed_signers")
    assert result.status == 1
    assert result.out.split()[0] == "rehearsal,"
    assert "it was requested as a rehearsal" in result.out


def test_failures_are_told(lock: Path, tmp_path: Path, run):
    def change(evidence):
        evidence.isolated[CASE] = Record(name=CASE, outcome=Outcome.HANG, phase="first")

    write_certificate(lock, *make_report(tmp_path / "f", change=change))
    result = run("verify", lock, "--json")
    assert result.status == 1
    [one] = json.loads(result.out)["certificates"]
    assert one["verdict"] == "failed"
    assert one["failed"][f"{CASE}/forward"] == "hang in phase first"
    text = run("verify", lock, "--markdown").out
    assert f"`{CASE}/forward and 1 more`: hang in phase first" in text


def test_several_signers_live_side_by_side_and_are_counted(lock, tmp_path, keys, run):
    sign(lock, keys / "alice")
    for name, key in (("one", "alice"), ("two", "bob"), ("three", "mallory")):
        place = write_certificate(lock / "certificates" / name, *make_report(tmp_path / name))
        sign(place, keys / key)
    result = run("verify", lock, "--signers", keys / "allowed_signers", "--json")
    assert result.status == 0, result.err
    data = json.loads(result.out)
    assert len(data["certificates"]) == 4
    assert data["witnesses"] == 2  # alice's two are of one card and kernel
    shutil.rmtree(lock / "certificates" / "two")
    (lock / "certificates" / "three" / "report.json").write_text("{}")
    broken = run("verify", lock, "--signers", keys / "allowed_signers")
    assert broken.status == 5
    assert "three" in broken.err
    only = ["--certificate", lock / "certificates" / "one"]
    assert run("verify", lock, *only, "--signers", keys / "allowed_signers").status == 0


def test_compare_and_pages(lock: Path, tmp_path: Path, run):
    other = write_certificate(tmp_path / "other", *make_report(tmp_path / "o"))
    assert "the environments are the same" in run("verify", lock, "--compare", lock, other).out
    assert json.loads(run("verify", lock, "--compare", lock, other, "--json").out)["differ"] == {}
    assert run("verify", lock, "--html", "page.html").status == 0
    assert Path("page.html").read_text() == (lock / "report.html").read_text()
    assert run("verify", lock, "--html", "page.html").status == 0
    Path("mine.html").write_text("a page of the user")
    refused = run("verify", lock, "--html", "mine.html")
    assert (refused.status, refused.code) == (3, "foreign-files")
    assert Path("mine.html").read_text() == "a page of the user"
    clash = run("verify", lock, "--markdown", "--html", "x")
    assert (clash.status, clash.code) == (2, "options-clash")


def test_nothing_to_verify(lock: Path, run):
    (lock / "certificate.json").unlink()
    result = run("verify", lock)
    assert (result.status, result.code) == (3, "no-certificate")
    assert "rdna1-lock certify" in result.err


def test_dsse(lock: Path, keys: Path, run):
    from rdna1_lock.certify.proof.dsse import make_envelope, preauthenticate

    assert preauthenticate(b"hello") == b"DSSEv1 28 application/vnd.in-toto+json 5 hello"
    statement = (lock / "certificate.json").read_bytes()
    envelope = lock / "certificate.dsse.json"
    envelope.write_bytes(make_envelope(statement, keys / "alice"))
    trusted = run("verify", lock, "--signers", keys / "allowed_signers")
    assert trusted.status == 0, trusted.err
    assert "signed by alice@example" in trusted.out
    # The key is the one that ssh-keygen shows for it.
    shown = subprocess.run(
        ["ssh-keygen", "-l", "-f", keys / "alice.pub"], capture_output=True, text=True, check=True
    )
    assert shown.stdout.split()[1] in trusted.out
    envelope.write_bytes(make_envelope(statement, keys / "mallory"))
    assert run("verify", lock, "--signers", keys / "allowed_signers").status == 6
    data = json.loads(envelope.read_text())
    data["payload"] = data["payload"][:-8] + "AAAA" + data["payload"][-4:]
    envelope.write_text(json.dumps(data))
    assert run("verify", lock).status == 5
    (lock / "certificate.json").unlink()
    envelope.write_bytes(make_envelope(statement, keys / "bob"))
    assert run("verify", lock, "--signers", keys / "allowed_signers").status == 0


def test_a_challenge_is_computed_by_who_verifies(lock: Path, tmp_path: Path, run):
    """With numpy, by an implementation of its own; the shipped digests are of no use to a liar."""
    numpy = pytest.importorskip("numpy")
    assert numpy
    write_certificate(lock, *make_report(tmp_path / "c", challenge="nonce-1"))
    result = run("verify", lock)
    assert (result.status, result.code) == (5, "verdict-differs")
    missing = run("verify", lock, "--python", "/nowhere/python")
    assert (missing.status, missing.code) == (3, "no-numpy")
