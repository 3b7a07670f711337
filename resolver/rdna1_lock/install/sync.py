"""Make an environment hold exactly a lock, with pip as the one that installs.

pip, because it comes with the tool, installs into any environment by ``--python``, holds every
wheel against its hash and keeps RECORD as other tools expect it. Neither an index nor a
configuration file is left to it: it gets the verified wheels of the lock and nothing else.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rdna1_lock.errors import InputError, IntegrityError
from rdna1_lock.install.activation import write_activation
from rdna1_lock.install.interpreter import clean_environment, probe
from rdna1_lock.install.verify import Difference, compare
from rdna1_lock.lock.model import locked_file

if TYPE_CHECKING:
    from rdna1_lock.install.interpreter import Interpreter
    from rdna1_lock.lock.model import Lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """What was done to an environment."""

    installed: tuple[str, ...]
    removed: tuple[str, ...]
    activation: tuple[Path, ...]


def sync(lock: Lock, wheels: Path, environment: Interpreter, *, set_env: bool) -> Synced:
    """Install what is missing, wrong or changed; remove what is not locked; check every file.

    Raises:
        InputError: pip fails.
        IntegrityError: the environment is not the lock afterwards.

    """
    before = compare(lock, wheels, environment)
    extra = sorted({item.package for item in before if item.kind == "extra"})
    wrong = sorted({item.package for item in before if item.kind != "extra"})
    if extra:
        _pip(environment, "uninstall", "--yes", *extra)
    if wrong:
        _install(lock, wheels, environment, wrong)
    after = probe(environment.executable)
    if after is None:
        raise InputError("broken-environment", f"{environment.executable} does not run any more")
    left = compare(lock, wheels, after)
    if left:
        raise not_the_lock(left, str(Path(environment.paths["scripts"]).parent))
    scripts = write_activation(Path(environment.paths["scripts"]), lock.env if set_env else {})
    return Synced(installed=tuple(wrong), removed=tuple(extra), activation=tuple(scripts))


def not_the_lock(differences: list[Difference], where: str) -> IntegrityError:
    """Return the error for an environment that is not its lock."""
    facts = [f"{item.kind}: {item.package} {item.what}" for item in differences[:12]]
    if len(differences) > 12:
        facts.append(f"and {len(differences) - 12} more")
    return IntegrityError(
        "environment-differs",
        f"{where} is not what the lock says",
        facts=tuple(facts),
        hint="run `rdna1-lock sync` on it, or delete it and run again",
    )


def _install(lock: Lock, wheels: Path, environment: Interpreter, names: list[str]) -> None:
    lines = [
        f"{package.name}==={package.version} --hash=sha256:{locked_file(package).hashes['sha256']}"
        for package in lock.packages
        if package.name in names
    ]
    handle, path = tempfile.mkstemp(suffix=".txt", prefix="rdna1-lock-")
    try:
        with os.fdopen(handle, "w") as file:
            file.write("\n".join(lines) + "\n")
        _pip(
            environment,
            "install",
            "--no-index",
            "--no-deps",
            "--no-cache-dir",
            "--force-reinstall",
            "--only-binary=:all:",
            "--require-hashes",
            "--find-links",
            str(wheels),
            "-r",
            path,
        )
    finally:
        Path(path).unlink(missing_ok=True)


def _pip(environment: Interpreter, command: str, *arguments: str) -> None:
    env = {
        **clean_environment(),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "--quiet",
            "--no-input",
            "--python",
            str(environment.executable),
            command,
            *arguments,
        ],
        capture_output=True,
        text=True,
        check=False,
        env=env,
    )
    if result.returncode != 0:
        raise InputError(
            "pip-failed",
            f"pip cannot {command} in {environment.executable}",
            facts=tuple((result.stderr or result.stdout).strip().splitlines()[-8:]),
            hint="free space or permissions may lack; run again, or delete the environment first",
        )
