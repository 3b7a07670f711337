"""What there is of a project on the default index, by the ordinary clients."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.metadata import parse_email
from packaging.requirements import Requirement
from packaging.version import Version

if TYPE_CHECKING:
    from packaging.markers import Marker

FAMILY = {"torch", "torchvision", "torchaudio"}


def releases(project: str) -> list[Version]:
    """Return the stable releases, oldest first."""
    found = _pip("index", "versions", project, "--python-version", "3.10", "--only-binary=:all:")
    match = re.search(r"^Available versions: (.*)$", found, re.MULTILINE)
    versions = map(Version, match[1].split(", ")) if match else ()
    return sorted(version for version in versions if not version.is_prerelease)


def declared(python: Path, project: str) -> str:
    """Return what the installed release says of torch, also behind extras."""
    for path in python.parent.parent.glob("lib/python3*/site-packages/*.dist-info/METADATA"):
        raw, _ = parse_email(path.read_bytes())
        if re.sub(r"[-_.]+", "-", str(raw.get("name", ""))).lower() == project:
            texts = [_said(Requirement(text)) for text in raw.get("requires_dist", [])]
            found = sorted({text for text in texts if text})
            return "; ".join(found) or "nothing"
    return "nothing"


def _said(requirement: Requirement) -> str | None:
    if requirement.name.lower() not in FAMILY:
        return None
    text = f"{requirement.name}{requirement.specifier}"
    marker: Marker | None = requirement.marker
    extra = re.search(r'extra == "([^"]+)"', str(marker)) if marker else None
    return f"{text} (extra {extra[1]})" if extra else text


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
