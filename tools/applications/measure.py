"""Lock, sync, probe: one measurement, as a user would come by it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rdna1_lock import toml
from rdna1_lock.rules import load_rules
from tools.downloads import downloads
from tools.torch_wheels import rocm_named_wheels

PROBES = Path(__file__).parent / "probes"
PATIENCE = 600
LAST_LINE = 400


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one set: what ran, what did not, and the versions that were locked.

    ``locked`` is false where there was no lock or no environment, so that nothing was measured.
    """

    locked: bool
    works: bool = False
    ran: tuple[str, ...] = ()
    partly: tuple[str, ...] = ()
    error: str | None = None
    versions: dict[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where measuring goes on: one environment, brought from lock to lock, and its locks."""

    folder: Path
    rocm_url: str

    @property
    def python(self) -> Path:
        return self.folder / "env" / "bin" / "python"


def place(rocm_url: str, worker: str = "0") -> Place:
    folder = downloads("applications") / f"worker-{worker}"
    folder.mkdir(exist_ok=True)
    return Place(folder=folder, rocm_url=rocm_url)


def measure(at: Place, requirements: list[str], probe: str, *options: str) -> Outcome:
    """Lock requirements beside torch, make the environment, run the probe."""
    lock = at.folder / "lock"
    code, text = _tool(
        *("resolve", *requirements, *options, "--portable", "--upgrade"),
        *("--output-dir", str(lock), "--no-catalogue", "--rocm-index-url", at.rocm_url),
        *("--find-links", str(built_wheels())),
    )
    if code != 0:
        return Outcome(locked=False, error=text)
    pylock = toml.loads((lock / "pylock.toml").read_text())
    versions = {item["name"]: item["version"] for item in pylock["packages"]}
    code, text = _tool(
        *("sync", str(lock), "--venv", str(at.folder / "env"), "--python", find_python()),
        *("--wheels", str(downloads("applications") / "wheels")),
        *("--find-links", str(rocm_named_wheels()["torch"].parent)),
        *("--find-links", str(built_wheels())),
        # What the package before wrote beside its own files, as gradio does.
        "--remove-extraneous",
    )
    if code != 0:
        return Outcome(locked=False, error=text, versions=versions)
    return run_probe(at.python, probe, versions)


def run_probe(python: Path, probe: str, versions: dict[str, str]) -> Outcome:
    """Run a probe by the environment's own interpreter, in an empty folder, off the network."""
    with tempfile.TemporaryDirectory() as home:
        environ = {
            **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
            "HOME": home,
            "MPLBACKEND": "Agg",
            "OMP_NUM_THREADS": "2",
            "HF_HUB_OFFLINE": "1",
            "HF_DATASETS_OFFLINE": "1",
            "YOLO_CONFIG_DIR": home,
            "WANDB_MODE": "disabled",
            "NO_ALBUMENTATIONS_UPDATE": "1",
            "GRADIO_ANALYTICS_ENABLED": "False",
            "CUDA_VISIBLE_DEVICES": "",
            "PROBE_ARTEFACTS": str(downloads("artefacts")),
        }
        try:
            done = subprocess.run(
                [python, PROBES / "_probe.py", probe],
                cwd=home,
                env=environ,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Outcome(locked=True, error=f"no answer in {PATIENCE} s", versions=versions)
    for line in reversed(done.stdout.splitlines()):
        if line.startswith('{"probe"'):
            said = json.loads(line)
            return Outcome(
                locked=True,
                works=said["works"],
                ran=tuple(said["ran"]),
                partly=tuple(said["partly"]),
                error=said["error"],
                versions=versions,
            )
    last = (done.stderr.strip().splitlines() or ["no output"])[-1][:LAST_LINE]
    error = f"the probe ended with status {done.returncode}: {last}"
    return Outcome(locked=True, error=error, versions=versions)


def built_wheels() -> Path:
    """Return the folder of wheels that were built from source distributions."""
    return downloads("applications-built")


def build_wheel(requirement: str) -> None:
    """Build the wheel of a release that has none; this runs the project's own code."""
    name = requirement.partition("==")[0].replace("-", "_")
    version = requirement.partition("==")[2]
    if list(built_wheels().glob(f"{name}-{version}-*.whl")):
        return
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(built_wheels())]
    subprocess.run([*command, requirement], check=True)


def allowances(package: str) -> list[str]:
    """Return the options with which a release is locked that is known not to run."""
    record = load_rules().applications.of(package)
    facts = [] if record is None else [fact for fact in record.facts if fact.on == "<torch>"]
    return [word for fact in facts for word in ("--allow", fact.id)]


def find_python() -> str:
    """Return CPython 3.10: on PATH, or one that pyenv keeps."""
    roots = sorted(Path("~/.pyenv/versions").expanduser().glob("3.10.*/bin/python3.10"))
    return str(roots[-1]) if roots else "python3.10"


def _tool(*arguments: str) -> tuple[int, str]:
    """Run rdna1-lock itself; returns its status and what it says of an error."""
    done = subprocess.run(
        [sys.executable, "-m", "rdna1_lock", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, "\n".join(done.stderr.strip().splitlines()[:12])
