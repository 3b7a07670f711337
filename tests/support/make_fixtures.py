"""Make ``tests/data/suite1`` anew: ``python tests/support/make_fixtures.py [FOLDER]``.

The committed files are the point: they were made before the formats changed, and later versions
must read them. Run this only to see how they were made; it writes today's formats. Needs CPython 3.10, gcc, nm, ssh-keygen
and, once, the download of torch 1.13.1 (0.9 GB).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent)]

from rdna1_lock.certify.proof.signature import NAMESPACE, sign  # noqa: E402
from rdna1_lock.cli.main import main  # noqa: E402
from support.evidence import LOCK, fake_host, make_report, write_certificate  # noqa: E402
from support.interpreters import find_python  # noqa: E402
from support.replica import ROCM_TAG  # noqa: E402
from support.server import Server  # noqa: E402
from support.wheels import Spec  # noqa: E402
from tools.torch_wheels import metadata_of, rocm_named_wheels, sha256_of  # noqa: E402

FIXTURES = TESTS / "data" / "suite1"
SIGNER = "signer@example"
LOCK_FILES = ("pylock.toml", "requirements.txt")
# Neither kept nor compared: the page is what one version makes of a report.
CERTIFICATE_FILES = ("certificate.json", "certificate.json.sig", "report.json")
SYNTHETIC = "synthetic: no card and no run (tests/support/make_fixtures.py)"


def make_key(place: Path, target: Path) -> Path:
    """Make a key pair; its public half is committed, its private half ends with ``place``."""
    key = place / "key"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", SIGNER, "-f", str(key)]
    subprocess.run(command, check=True)
    kind, public, *_ = (place / "key.pub").read_text().split()
    line = f'{SIGNER} namespaces="{NAMESPACE}" {kind} {public}\n'
    (target / "allowed_signers").write_text(line)
    return key


def rehearse(place: Path, key: Path) -> Path:
    """Lock the real torch, sync it and certify on the processor, as a user would."""
    python = find_python("3.10")
    assert python is not None, "no CPython 3.10 on this machine"
    wheels = rocm_named_wheels()
    server = Server()
    index = server.index("rocm", kind="pytorch", metadata_files=True, absent=403)
    for name, path in wheels.items():
        needs = tuple(text for text in metadata_of(path) if "extra" not in text)
        spec = Spec(name, path.name.split("-")[1], needs, requires_python=">=3.7", tag=ROCM_TAG)
        stated = {"filename": path.name, "sha256": sha256_of(path), "size": path.stat().st_size}
        index.add(spec, stated=stated)
    lock = place / "lock"
    resolve = ("resolve", "--no-catalogue", "--portable", "--output-dir", lock)
    certify = ("certify", lock, "--rehearse", "--python", python, "--venv", place / "env")
    folder = wheels["torch"].parent
    try:
        run(*resolve, "--rocm-index-url", server.url("rocm"))
        run(*certify, "--find-links", folder, "--key", key, "--ablate")
    finally:
        server.close()
    return lock


def certify_synthetically(place: Path, key: Path) -> Path:
    """Write a certificate of the default lock from made-up evidence, and sign it."""
    lock = place / "certified"
    shutil.copytree(LOCK.parent, lock)
    host = replace(fake_host(place / "machine"), system=SYNTHETIC, processor=SYNTHETIC)
    write_certificate(lock, *make_report(place, host=host))
    sign(lock / "certificate.json", key, environ=os.environ)
    return lock


def run(*command: object) -> None:
    """Run a command line of rdna1-lock, which must succeed."""
    status = main([str(part) for part in command])
    assert status == 0, command


def keep(source: Path, target: Path, names: tuple[str, ...]) -> None:
    """Copy the named files."""
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copyfile(source / name, target / name)


def make(target: Path) -> None:
    """Write all fixtures but the README below ``target``."""
    target.mkdir(parents=True, exist_ok=True)
    keep(LOCK.parent, target / "lock-schema1", LOCK_FILES)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        os.environ["RDNA1_LOCK_CACHE_DIR"] = str(place / "cache")
        key = make_key(place, target)
        made = {
            "rehearsal": rehearse(place, key),
            "certified": certify_synthetically(place, key),
        }
        for name, lock in made.items():
            keep(lock, target / name, (*LOCK_FILES, *CERTIFICATE_FILES))


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else FIXTURES)
