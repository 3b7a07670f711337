"""Nix with a store, state and settings of its own, and a stand-in for nixpkgs."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.interpreters import find_python

STAND_IN = Path(__file__).with_name("nixpkgs")
SYSTEM = "x86_64-linux"


def need_nix() -> str:
    """Return CPython 3.10; skip the test where it or Nix is absent, fail where CI promised both."""
    python = find_python("3.10")
    missing = [
        what
        for what, found in (("Nix", shutil.which("nix")), ("CPython 3.10", python))
        if not found
    ]
    if missing and os.environ.get("RDNA1_LOCK_NEED_NIX"):
        pytest.fail(f"no {' and no '.join(missing)} on this machine")
    if missing or python is None:
        pytest.skip(f"no {' and no '.join(missing)} on this machine")
    return python


@dataclass
class Nix:
    """``nix`` on a private store; ``home`` holds all of it."""

    home: Path
    python: str
    sandbox: bool = False

    def __post_init__(self) -> None:
        for name in ("conf", "home", "mirror/sha256"):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        prefix = Path(self.python).resolve().parent.parent
        visible = {"/usr", "/bin", "/lib", "/lib64", str(prefix), str(self.home / "mirror")}
        settings = [
            "experimental-features = nix-command flakes",
            f"sandbox = {str(self.sandbox).lower()}",
            "sandbox-fallback = false",
            f"extra-sandbox-paths = {' '.join(sorted(visible))}" if self.sandbox else "",
            "build-users-group =",
            "substituters =",
            "flake-registry =",
            f"hashed-mirrors = file://{self.home}/mirror",
            "warn-dirty = false",
        ]
        (self.home / "conf" / "nix.conf").write_text("\n".join(settings) + "\n")
        self.nixpkgs = self.stand_in("nixpkgs")

    def stand_in(
        self,
        name: str,
        *,
        glibc: str = "2.40-66",
        gone: Iterable[str] = (),
        python: str | None = None,
        series: str = "3.10",
    ) -> Path:
        """Make a stand-in nixpkgs; ``gone`` are attributes that it lacks."""
        place = self.home / name
        shutil.copytree(STAND_IN, place)
        listed = " ".join(json.dumps(one) for one in gone)
        (place / "host.nix").write_text(
            f'{{ bash = "{shutil.which("bash")}"; python = "{python or self.python}"; '
            f'series = "{series}"; '
            f'path = "/usr/bin:/bin"; glibc = "{glibc}"; gone = [ {listed} ]; }}\n'
        )
        return place

    @property
    def store(self) -> Path:
        return self.home / "nix" / "store"

    @property
    def env(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("NIX_", "PIP_", "PYTHON"))
        }
        own = {
            "NIX_CONF_DIR": self.home / "conf",
            "NIX_STORE_DIR": self.store,
            "NIX_STATE_DIR": self.home / "nix" / "var",
            "NIX_LOG_DIR": self.home / "nix" / "log",
            "NIX_REMOTE": "local",
            "HOME": self.home / "home",
            "XDG_CACHE_HOME": self.home / "cache",
            "LEAK": "leaked",
        }
        return kept | {name: str(value) for name, value in own.items()}

    def mirror(self, files: Iterable[Path]) -> None:
        """Serve files by their hash, whatever URL a derivation names."""
        for file in files:
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            shutil.copyfile(file, self.home / "mirror" / "sha256" / digest)

    def run(
        self,
        *command: object,
        ok: bool = True,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        override: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run ``nix ...`` with the stand-in nixpkgs."""
        words = [str(word) for word in command]
        where = 2 if words[0] == "flake" else 1
        overriding = ["--override-input", "nixpkgs", f"path:{override or self.nixpkgs}"]
        words = [*words[:where], *overriding, *words[where:]]
        return self.plain("nix", *words, ok=ok, cwd=cwd, env=env)

    def plain(
        self,
        *command: object,
        ok: bool = True,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(word) for word in command],
            env={**self.env, **(env or {})},
            cwd=cwd,
            text=True,
            capture_output=True,
            timeout=600,
            check=False,
        )
        assert (done.returncode == 0) is ok, f"{command}\n{done.stdout}\n{done.stderr}"
        return done

    def python_in(self, reference: str, code: str, *options: str, cwd: Path | None = None) -> Any:
        """Run code in the shell of a flake; it prints one JSON value."""
        shown = self.run("develop", *options, reference, "-c", "python", "-c", code, cwd=cwd)
        return json.loads(shown.stdout)
