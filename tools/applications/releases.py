"""What there is of a project on the default index, by the ordinary clients."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

from packaging.metadata import parse_email
from packaging.requirements import Requirement
from packaging.version import Version

FAMILY = {"torch", "torchvision", "torchaudio"}


def releases(project: str) -> list[Version]:
    """Return the stable releases, oldest first."""
    found = _pip("index", "versions", project, "--python-version", "3.10", "--only-binary=:all:")
    match = re.search(r"^Available versions: (.*)$", found, re.MULTILINE)
    versions = map(Version, match[1].split(", ")) if match else ()
    return sorted(version for version in versions if not version.is_prerelease)


def declared(python: Path, project: str) -> str:
    """Return what the installed release says of torch: by itself, and in an extra of that name."""
    for path in python.parent.parent.glob("lib/python3*/site-packages/*.dist-info/METADATA"):
        raw, _ = parse_email(path.read_bytes())
        if re.sub(r"[-_.]+", "-", str(raw.get("name", ""))).lower() == project:
            return _said([Requirement(text) for text in raw.get("requires_dist", [])])
    return "nothing"


def _said(requirements: list[Requirement]) -> str:
    ours = [item for item in requirements if item.name.lower() in FAMILY]
    plain = sorted(f"{item.name}{item.specifier}" for item in ours if not _extra(item))
    extra = sorted(
        f"{item.name}{item.specifier} in the extra {_extra(item)}"
        for item in ours
        if item.name == "torch" and _extra(item) in {"torch", "pt", "pytorch"}
    )
    return "; ".join([*plain, *extra]) or ("nothing, but in extras" if ours else "nothing")


def _extra(requirement: Requirement) -> str | None:
    match = re.search(r'extra == "([^"]+)"', str(requirement.marker))
    return match[1] if match else None


@cache
def uv_version() -> str | None:
    done = subprocess.run(
        [Path(sys.executable).with_name("uv"), "--version"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.split()[1] if done.returncode == 0 else None


def locked_by_uv(project: str, *more: str) -> str | None:
    """Return the release that uv takes beside the same torch and numpy; None if it refuses."""
    wanted = "\n".join(["torch==1.13.1", "numpy<2", project, *more])
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("uv"), "pip", "compile", "-q", "--no-header"),
            *("--python-version", "3.10", "--python-platform", "x86_64-manylinux_2_28"),
            *("--no-build", "--no-annotate", "-"),
        ],
        input=wanted,
        capture_output=True,
        text=True,
        check=False,
    )
    match = re.search(rf"^{re.escape(project)}==(\S+)", done.stdout, re.MULTILINE)
    return match[1] if match else None


def _pip(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout
