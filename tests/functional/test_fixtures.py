"""What the first formats wrote is read by every later version: see tests/data/suite1/README.md."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from rdna1_lock.lock.read import read_lock

SUITE1 = Path(__file__).parents[1] / "data" / "suite1"
SIGNERS = SUITE1 / "allowed_signers"
# Folder → exit status with and without trust in the signer, verdict, tests that failed.
CERTIFICATES = {
    "certified": (0, 6, "certified", set()),
    "rehearsal": (
        *(1, 1, "rehearsal"),
        {"hardware/rdna1-through-kfd", "environment/not-a-rehearsal"},
    ),
}


@pytest.mark.parametrize("name", CERTIFICATES)
def test_a_certificate_of_suite_1_verifies(run, name):
    trusted, unknown, verdict, failed = CERTIFICATES[name]
    command = ("verify", SUITE1 / name, "--certificate", SUITE1 / name, "--json")
    result = run(*command, "--signers", SIGNERS)
    assert result.status == trusted, result.err
    [one] = json.loads(result.out)["certificates"]
    assert (one["verdict"], one["trust"], one["signer"]) == (verdict, "trusted", "signer@example")
    assert set(one["failed"]) == failed
    assert one["passed"] + one["warned"] == 79 - len(failed & {"hardware/rdna1-through-kfd"})
    assert run(*command).status == unknown


@pytest.mark.parametrize("name", CERTIFICATES)
def test_a_certificate_of_suite_1_is_shown(run, name):
    verdict = CERTIFICATES[name][2]
    command = ("verify", SUITE1 / name, "--certificate", SUITE1 / name)
    assert run(*command).out.startswith(verdict)
    markdown = run(*command, "--markdown").out
    assert markdown.lower().startswith(f"**{verdict}")
    assert run(*command, "--html", "page.html").status == 0
    page = Path("page.html").read_text()
    assert f"<title>{verdict.capitalize()}" in page
    if name == "certified":
        assert "synthetic: no card and no run" in page
        assert "synthetic: no card and no run" in markdown


def test_two_certificates_of_suite_1_are_compared(run):
    """They are of two locks, so each is compared with itself, by either command."""
    folder = SUITE1 / "rehearsal"
    result = run("verify", folder, "--compare", folder, folder, "--json")
    found = json.loads(result.out)
    assert (found["verdicts"], found["differ"]) == (["rehearsal", "rehearsal"], {})
    assert found["ratios"]["conv2d/1x3x44-64/find"] == {"warm_forward": 1.0, "warm_backward": 1.0}


@pytest.mark.parametrize("name", CERTIFICATES)
@pytest.mark.parametrize("file", ["report.json", "pylock.toml"])
def test_a_certificate_of_suite_1_is_still_sealed(run, tmp_path, name, file):
    folder = tmp_path / name
    shutil.copytree(SUITE1 / name, folder)
    whole = (folder / file).read_text()
    (folder / file).write_text(whole.replace("1.13.1", "1.13.2", 1))
    assert run("verify", folder, "--signers", SIGNERS).status in {3, 5}


@pytest.mark.parametrize("name", ["lock-schema1", *CERTIFICATES])
def test_a_lock_of_schema_1_is_read(name):
    lock = read_lock(SUITE1 / name / "pylock.toml")
    assert not lock.edited
    versions = {str(package.name): str(package.version) for package in lock.packages}
    assert versions["torch"] == "1.13.1+rocm5.2"
    assert versions["torchvision"] == "0.14.1+rocm5.2"
    assert versions["numpy"] == "1.26.4"
    assert (lock.inputs.stack, lock.inputs.target.python_series) == ("rocm5.2", "3.10")
    assert lock.inputs.gfx == ("gfx1010", "gfx1011", "gfx1012")
    assert lock.inputs.portable is True
    assert lock.env["HSA_OVERRIDE_GFX_VERSION"] == "10.3.0"
