"""The sweep for real: torch 1.13.1 on CPython 3.10, locked, installed, run, verified, on a processor."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from rdna1_lock.certify.proof.judge import judge
from rdna1_lock.certify.run import suite
from rdna1_lock.guard.outcome import Outcome
from rdna1_lock.guard.patience import Patience
from rdna1_lock.guard.runner import WORKER, run_worker
from support.interpreters import find_python
from support.keys import make_keys
from support.replica import ROCM_TAG
from support.server import Server
from support.wheels import Spec
from tools.torch_wheels import metadata_of, rocm_named_wheels, sha256_of

pytestmark = [pytest.mark.torch, pytest.mark.slow]
LOCK = Path("locks/rocm5.2-cp310")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all tests: a lock of the real builds, its wheels and its environment."""
    return tmp_path_factory.mktemp("rehearsal")


@pytest.fixture
def main(place: Path, run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    python = find_python("3.10")
    if python is None:
        pytest.fail("no CPython 3.10 on this machine")
    monkeypatch.chdir(place)
    monkeypatch.setenv("PATH", f"{Path(python).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("RDNA1_LOCK_CACHE_DIR", str(place / "cache"))
    return run


@pytest.fixture
def locked(place: Path, main, server: Server) -> Path:
    """Lock the real builds from an index in the form of PyTorch's; once."""
    if (place / LOCK).exists():
        return place / LOCK
    index = server.index("rocm", kind="pytorch", metadata_files=True, absent=403)
    wheels = rocm_named_wheels()
    for name, path in wheels.items():
        spec = Spec(
            name,
            path.name.split("-")[1],
            tuple(text for text in metadata_of(path) if "extra" not in text),
            requires_python=">=3.7",
            tag=ROCM_TAG,
        )
        stated = {"filename": path.name, "sha256": sha256_of(path), "size": path.stat().st_size}
        index.add(spec, stated=stated)
    made = main("resolve", "--no-catalogue", "--portable", "--rocm-index-url", server.url("rocm"))
    assert made.status == 0, made.err
    return place / LOCK


@pytest.fixture
def environment(place: Path, locked: Path, main) -> Path:
    """The environment that ``certify`` makes when it is run without one."""
    if not (place / "env").exists():
        folder = rocm_named_wheels()["torch"].parent
        result = main("sync", locked, "--venv", "env", "--find-links", folder)
        assert result.status == 0, result.err
    return place / "env" / "bin" / "python"


def test_the_whole_sweep(place: Path, locked: Path, main):
    """As a user runs it: environment made, files compared, 36 cases alone and together, signed."""
    keys = make_keys(place)
    wheels = rocm_named_wheels()["torch"].parent
    command = ["certify", locked, "--rehearse", "--venv", "env", "--find-links", wheels]
    result = main(*command, "--key", keys / "alice", "--ablate")
    assert result.status == 0, result.err + result.out
    assert result.err.startswith("rehearsal (as requested)")
    assert result.out.startswith(
        "rehearsal, which certifies nothing: 72 of 72 convolution passes exact\n"
    )
    report = json.loads((locked / "report.json").read_text())
    assert report["environment"]["exact"] is True
    assert report["device"]["torch"] == "1.13.1+cu117"
    for case in suite.cases():
        for leg in (report["cases"][case.id]["measured"], report["shared"]["cases"][case.id]):
            found = {name: one["sha256"] for name, one in leg["tensors"].items()}
            assert found == suite.digests()[case.key]
            assert max(one["k"] for one in leg["tensors"].values()) < 3
            assert max(one["rel_l2"] for one in leg["tensors"].values()) < 1e-5
    assert report["control"]["outcome"] == "done"
    assert report["numpy"]["steps"] == dict.fromkeys(report["numpy"]["steps"], "ok")
    assert report["vision"]["kept"] == [0, 2]
    assert {leg["outcome"] for leg in report["ablation"].values()} == {"done"}
    assert "$ENV/lib/python3.10/site-packages/torch/lib" in json.dumps(report["libraries"])
    text = (locked / "report.json").read_text() + (locked / "report.html").read_text()
    assert str(place) not in text
    checked = main("verify", locked, "--signers", keys / "allowed_signers", "--json")
    assert checked.status == 1
    data = json.loads(checked.out)
    assert data["wheels"]["here"] == data["wheels"]["locked"]
    [one] = data["certificates"]
    assert (one["verdict"], one["trust"]) == ("rehearsal", "trusted")
    assert set(one["failed"]) == {"hardware/rdna1-through-kfd", "environment/not-a-rehearsal"}


def test_a_challenge_is_answered_and_checked_by_numpy(locked: Path, environment: Path, main):
    command = ["certify", locked, "--rehearse", "--python", environment, "--quick"]
    result = main(*command, "--challenge", "2026-11-24 a nonce", "--output-dir", "challenge")
    assert result.status == 0, result.err + result.out
    checked = main("verify", locked, "--certificate", "challenge", "--python", environment)
    assert checked.status == 1, checked.err
    assert "rehearsal" in checked.out
    report = json.loads(Path("challenge/report.json").read_text())
    digest = report["shared"]["cases"]["conv2d/1x3x44-64/find"]["tensors"]["y"]["sha256"]
    assert digest != suite.digests()["1x3x44-64"]["y"]


FAULTS = [
    "last element zeroed",
    "one element off by 1e-3",
    "tf32 inputs",
    "half precision",
    "one NaN",
    "zero gradient",
    "wrong shape",
    "stale memory",
    "transposed gradient",
]


def measure(environment: Path, fault: str | None, *, worker: Path = WORKER) -> list[str]:
    case = suite.Case(shape=(1, 3, 64, 64), route="find")
    task = {
        "kind": "convolutions",
        "cases": [case.to_task()],
        "warm": 1,
        "seed": suite.ID,
        "device": "cpu",
        "fault": fault,
    }
    env = {"PATH": os.environ["PATH"]}
    command = [str(environment), "-I", "-B", str(worker)]
    record = run_worker(command, case.id, task, env, patience=Patience())
    assert record.outcome is Outcome.DONE, record.stderr
    report = {"cases": {case.id: {"outcome": "done", "measured": record.cases[0]}}}
    found = judge(report, suite.digests(), {}, vision=False)
    return [name for name in found.failed if name.startswith("conv2d/")]


def test_untouched_results_pass(environment: Path, main):
    assert measure(environment, None) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_in_results_are_caught(environment: Path, main, fault: str):
    worker = Path(__file__).parents[1] / "support" / "faulty_worker.py"
    assert measure(environment, fault, worker=worker) != []


def test_shipped_digests_are_those_of_numpy(environment: Path, main):
    """A second implementation, without torch, comes to the same 72 tensors."""
    import subprocess

    asked = {"seed": suite.ID, "cases": {suite.shape_key(s): s for s in suite.SHAPES}}
    done = subprocess.run(
        [environment, "-I", "-B", WORKER / "sweep_expected.py"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == suite.digests()


def test_audit_sees_the_cuda_build_for_what_it_is(environment: Path, place: Path, main):
    """The real torch 1.13.1 of the default index, of which `pip check` has nothing to say."""
    import subprocess
    import sys

    wheel = next(rocm_named_wheels()["torch"].parent.glob("torch-1.13.1-cp310-*.whl"))
    python = find_python("3.10")
    subprocess.run([python, "-m", "venv", "--without-pip", "cuda"], check=True)
    pip = [sys.executable, "-m", "pip", "--python", "cuda/bin/python"]
    kept = [*pip, "install", "-q", "--no-deps", "--no-compile", "--no-index"]
    subprocess.run([*kept, wheel], check=True)
    result = main("audit", "cuda", "--json")
    assert result.status == 1
    told = {item["rule"]: item["seen"] for item in json.loads(result.out)["findings"]}
    assert told["R03"] == "torch 1.13.1 is a build for CUDA (11.7), which cannot use an AMD card"
    # The renamed one has a label that lies.
    renamed = main("audit", environment, "--deep", "--json")
    told = [item["seen"] for item in json.loads(renamed.out)["findings"]]
    assert "torch 1.13.1+rocm5.2 is a build for CUDA (11.7), which cannot use an AMD card" in told
    assert "torch.version.hip is None in the running torch" in told


def test_numpy_2_passes_every_convolution_and_is_caught(environment: Path, main, place: Path):
    """The last test: it spoils the environment."""
    import subprocess
    import sys

    pip = [sys.executable, "-m", "pip", "--python", environment, "install", "-q", "--no-deps"]
    subprocess.run([*pip, "numpy==2.2.6"], check=True)
    assert measure(environment, None) == []
    result = main(
        "certify", LOCK, "--rehearse", "--python", environment, "--quick", "--sizes", "32"
    )
    assert result.status == 1
    assert "numpy/round-trip failed" in result.out
    report = json.loads((place / LOCK / "report.json").read_text())
    assert "Numpy is not available" in report["numpy"]["steps"]["from_numpy"]
    assert report["environment"]["exact"] is False
