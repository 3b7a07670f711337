"""Environments for real: the right one finds nothing, each broken one finds its rule."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rdna1_lock.host.system import look_at_host
from rdna1_lock.rules import load_gpus
from support import sysfs
from support.environments import (
    CUDA_FILES,
    RIGHT,
    TORCH_FILES,
    compile_library,
    make_environment,
    site,
    torch,
)
from support.evidence import LOCK
from support.interpreters import find_python
from support.replica import replica_options
from support.server import Server
from support.sysfs import make_machine
from support.wheels import Spec

OVERRIDE = {"HSA_OVERRIDE_GFX_VERSION": "10.3.0"}


@pytest.fixture(scope="module")
def python() -> str:
    found = find_python("3.10")
    if found is None:
        pytest.skip("no CPython 3.10 on this machine")
    return found


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """No variables of this machine, and a machine with an RX 5600 XT and an older glibc."""
    for name in list(os.environ):
        if name.startswith(("HSA_", "HIP_", "ROC", "MIOPEN_", "LD_", "VIRTUAL_ENV", "CONDA_")):
            monkeypatch.delenv(name)
    host = make_machine(tmp_path / "machine", [sysfs.RX_5600_XT])
    seen = look_at_host(load_gpus(), host.root, kernel="6.8.0")
    monkeypatch.setattr("rdna1_lock.host.system.look_at_host", lambda cards: seen)


@pytest.fixture
def build(tmp_path: Path, python: str):
    def make(*specs: Spec, interpreter: str = python) -> Path:
        return make_environment(tmp_path / "env", [*RIGHT, *specs], interpreter)

    return make


@pytest.fixture
def audit(run, monkeypatch: pytest.MonkeyPatch):
    """Audit with the given variables; returns status, and (rule, severity) of each finding."""

    def call(*arguments: object, **variables: str):
        with monkeypatch.context() as context:
            for name, value in {**OVERRIDE, **variables}.items():
                if value:
                    context.setenv(name, value)
            result = run("audit", *arguments, "--json")
        assert result.status in {0, 1}, result.err
        data = json.loads(result.out)
        found = [(item["rule"], item["severity"]) for item in data["findings"]]
        severe = [pair for pair in found if pair[1] != "info"]
        assert result.status == (1 if any(s == "error" for _, s in severe) else 0)
        return severe, data

    return call


def seen(data: dict, rule: str) -> str:
    return "\n".join(item["seen"] for item in data["findings"] if item["rule"] == rule)


def pip_check(place: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--python", place / "bin" / "python", "check"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()


def test_the_right_environment_has_no_findings(build, audit):
    place = build()
    severe, data = audit(place)
    assert severe == []
    # What is only worth knowing is told as such.
    assert {item["rule"] for item in data["findings"]} == {"R19", "R22"}
    assert audit(place / "bin" / "python")[0] == []


def test_numpy_2(build, audit):
    place = build(Spec("numpy", "2.2.6"))
    severe, data = audit(place)
    assert severe == [("R05", "error")]
    assert seen(data, "R05") == "numpy 2.2.6 with torch 1.13.1+rocm5.2"
    assert pip_check(place) == "No broken requirements found."
    [finding] = [item for item in data["findings"] if item["rule"] == "R05"]
    tools = {item["tool"]: item["command"] for item in finding["commands"]}
    assert tools["pip"].endswith("-m pip install 'numpy<2'")
    assert tools["uv"].startswith("uv pip install --python ")
    assert finding["evidence"] == ["reproduced"]
    assert finding["sources"]


def test_numpy_2_is_right_for_a_newer_torch(build, audit):
    severe, data = audit(build(torch("2.4.0+rocm6.0"), Spec("numpy", "2.2.6")))
    assert "R05" not in {rule for rule, _ in severe}
    assert "R22" not in {item["rule"] for item in data["findings"]}


def test_cuda_torch_from_the_default_index(build, audit):
    place = build(torch("1.13.1", CUDA_FILES))
    severe, data = audit(place)
    assert ("R03", "error") in severe
    assert "a build for CUDA (11.7)" in seen(data, "R03")
    assert pip_check(place) == "No broken requirements found."


def test_a_label_that_lies(build, audit):
    severe, data = audit(build(torch("1.13.1+rocm5.2", CUDA_FILES)))
    assert severe == [("R03", "error")]
    assert "torch 1.13.1+rocm5.2 is a build for CUDA (11.7)" in seen(data, "R03")


def test_a_build_of_somebodys_own_is_known_by_its_files(build, audit):
    """Distributions build torch for ROCm without a label."""
    severe, data = audit(build(torch("1.13.1"), Spec("torchvision", "0.14.1", ("torch",))))
    # torch is known by its files; torchvision has none that say so, and is asked about.
    assert severe == [("R03", "error")]
    assert seen(data, "R03").startswith("torchvision 0.14.1 is not a ROCm build")


def test_torchvision_of_another_torch(build, audit):
    place = build(Spec("torchvision", "0.15.2+rocm5.2", ("torch",)))
    severe, data = audit(place)
    assert ("R02", "error") in severe
    assert "whose partner is torchvision 0.14.1" in seen(data, "R02")
    assert pip_check(place) == "No broken requirements found."


def test_a_mixed_pair(build, audit):
    place = build(Spec("torchvision", "0.14.1+cu117", ("torch==1.13.1",)))
    severe, data = audit(place)
    assert {("R02", "error"), ("R03", "error")} <= set(severe)
    assert "torch (rocm5.2), torchvision (cu117)" in seen(data, "R02")
    assert pip_check(place) == "No broken requirements found."


def test_a_pair_that_is_mixed_by_what_it_is_linked_with(build, audit):
    place = build()
    compile_library(
        site(place) / "torchvision" / "_C.so", needs=["libtorch_cuda_cu.so", "libcudart.so.11.0"]
    )
    severe, data = audit(place)
    assert severe == [("R02", "error")]
    assert "linked with libtorch_cuda_cu.so, libcudart.so.11.0" in seen(data, "R02")


def test_python_3_11(tmp_path, audit):
    newer = find_python("3.11")
    if newer is None:
        pytest.skip("no CPython 3.11 on this machine")
    place = make_environment(tmp_path / "env", RIGHT, newer)
    severe, data = audit(place)
    assert severe == [("R04", "error")]
    assert "Python 3.11, and torch 1.13.1+rocm5.2 was built for 3.7, 3.8, 3.9, 3.10" in seen(
        data, "R04"
    )


@pytest.mark.parametrize("version", ["3.7", "3.8", "3.9", "3.12", "3.13"])
def test_interpreters_from_3_7_on_can_be_asked(tmp_path, audit, version):
    found = find_python(version)
    if found is None:
        pytest.skip(f"no CPython {version} on this machine")
    place = make_environment(tmp_path / "env", RIGHT, found)
    severe, _ = audit(place)
    assert severe == ([] if version in {"3.7", "3.8", "3.9"} else [("R04", "error")])


def test_torch_2(build, audit):
    place = build(
        torch("2.0.1+rocm5.4.2"),
        Spec("torchvision", "0.15.2+rocm5.4.2"),
        Spec("pytorch-triton-rocm", "2.0.1"),
    )
    severe, data = audit(place)
    assert severe == [("R07", "error")]
    assert "ROCm 5.4.2" in seen(data, "R07")
    assert "HSA_STATUS_ERROR_MEMORY_APERTURE_VIOLATION" in seen(data, "R07"), "what is known"


def test_a_native_build_wants_no_override(build, audit):
    native = {**TORCH_FILES, "torch/lib/rocblas/library/TensileLibrary_gfx1010.co": "k"}
    place = build(torch("2.2.2+rocm5.7", native), Spec("torchvision", "0.17.2+rocm5.7"))
    severe, data = audit(place)
    assert severe == [("R06", "error")]
    assert "has native code" in seen(data, "R06")
    assert audit(place, HSA_OVERRIDE_GFX_VERSION="")[0] == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [("", [("R06", "error")]), ("10.1.0", [("R06", "error")]), ("10.3.0", [])],
)
def test_the_override(build, audit, value, expected):
    assert audit(build(), HSA_OVERRIDE_GFX_VERSION=value)[0] == expected


def test_the_override_of_the_activation_script_counts(build, audit):
    place = build()
    script = place / "bin" / "activate"
    script.write_text(script.read_text() + "\nexport HSA_OVERRIDE_GFX_VERSION=10.3.0\n")
    assert audit(place, HSA_OVERRIDE_GFX_VERSION="")[0] == []


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"MIOPEN_DEBUG_CONV_IMPLICIT_GEMM": "1"}, []),
        ({"MIOPEN_DEBUG_CONV_FFT": "0"}, [("R08", "warning")]),
        (
            {f"MIOPEN_DEBUG_CONV_{f}": "0" for f in ("IMPLICIT_GEMM", "WINOGRAD", "DIRECT", "FFT")},
            [("R08", "error")],
        ),
        (
            {
                f"MIOPEN_DEBUG_CONV_{f}": "disabled"
                for f in ("GEMM", "IMPLICIT_GEMM", "WINOGRAD", "DIRECT", "FFT")
            },
            [("R08", "error")],
        ),
        ({"MIOPEN_FIND_ENFORCE": "3"}, [("R21", "warning")]),
        ({"MIOPEN_FIND_ENFORCE": "SEARCH"}, [("R21", "warning")]),
        ({"MIOPEN_FIND_ENFORCE": "1"}, []),
        ({"ROCM_PATH": "/opt/rocm"}, []),
    ],
)  # fmt: skip
def test_variables(build, audit, variables, expected):
    severe, data = audit(build(), **variables)
    assert severe == expected
    told = {item["rule"] for item in data["findings"]}
    assert ("R20" in told) == ("ROCM_PATH" in variables)
    if variables == {"MIOPEN_DEBUG_CONV_IMPLICIT_GEMM": "1"}:
        assert "changes nothing" in seen(data, "R08")


def test_variables_say_nothing_without_a_rocm_torch(tmp_path, python, audit):
    place = make_environment(tmp_path / "env", [Spec("numpy", "2.2.6")], python)
    severe, data = audit(place, MIOPEN_FIND_ENFORCE="3", ROCM_PATH="/opt/rocm", LD_LIBRARY_PATH="/")
    assert (severe, data["findings"]) == ([], [])


@pytest.mark.parametrize(
    ("flag", "expected"), [({"runpath": "$ORIGIN"}, "error"), ({"rpath": "$ORIGIN"}, "info")]
)
def test_a_system_rocm_that_leaks_in(build, audit, tmp_path, flag, expected):
    place = build()
    compile_library(site(place) / "torch" / "lib" / "libtorch_hip.so", **flag)
    leak = tmp_path / "rocm" / "lib"
    leak.mkdir(parents=True)
    (leak / "libMIOpen.so").write_text("")
    severe, data = audit(place, LD_LIBRARY_PATH=f"/nowhere:{leak}")
    assert ("R09", expected) in [(i["rule"], i["severity"]) for i in data["findings"]]
    assert severe == ([("R09", "error")] if expected == "error" else [])
    (leak / "libMIOpen.so").rename(leak / "libMIOpen.so.1")
    assert "R09" not in {i["rule"] for i in audit(place, LD_LIBRARY_PATH=str(leak))[1]["findings"]}
    harmless, own = tmp_path / "libother.so", tmp_path / "libamdhip64.so.5"
    for library in (harmless, own):
        compile_library(library)
    assert audit(place, LD_PRELOAD=str(harmless))[0] == []
    severe, data = audit(place, LD_PRELOAD=f"{harmless}:{own}")
    assert severe == [("R09", "error")]
    assert f"LD_PRELOAD loads {own}" in seen(data, "R09")


def test_an_executable_stack_and_the_c_library(build, audit, monkeypatch):
    from rdna1_lock.audit import environment

    place = build()
    lib = site(place) / "torch" / "lib"
    compile_library(lib / "libtorch_hip.so", runpath="$ORIGIN")
    compile_library(lib / "libamdhip64.so", executable_stack=True)
    compile_library(lib / "libhiprtc.so")
    assert audit(place)[0] == []
    asked = environment._ask

    def newer(interpreter, environ):
        data, trouble = asked(interpreter, environ)
        return {**data, "libc": "2.41"}, trouble

    monkeypatch.setattr(environment, "_ask", newer)
    severe, data = audit(place)
    assert severe == [("R01", "error")]
    assert "glibc 2.41, and libamdhip64.so ask" in seen(data, "R01")
    [finding] = [item for item in data["findings"] if item["rule"] == "R01"]
    assert any("--clear-execstack" in c["command"] for c in finding["commands"])
    # The mark cleared, as the remedy says: nothing is left to find.
    compile_library(lib / "libamdhip64.so")
    assert audit(place)[0] == []


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"\x7fELF" + b"\xff" * 60, b"no library"])
def test_broken_libraries_say_nothing(build, audit, content):
    place = build()
    lib = site(place) / "torch" / "lib"
    for name in ("libtorch_hip.so", "libamdhip64.so"):
        (lib / name).write_bytes(content)
    (site(place) / "torchvision" / "_C.so").write_bytes(content)
    assert audit(place)[0] == []


def test_a_tampered_file(build, audit):
    place = build()
    file = site(place) / "numpy" / "__init__.py"
    file.write_text(file.read_text() + "# patched\n")
    severe, data = audit(place)
    assert severe == [("R23", "error")]
    assert seen(data, "R23") == "numpy: numpy/__init__.py has another size"
    assert pip_check(place) == "No broken requirements found."


def test_a_distribution_may_strip_what_it_packages(build, audit):
    """Debian's libraries differ from the RECORD of their build, and have no INSTALLER."""
    place = build()
    (site(place) / "numpy-1.26.4.dist-info" / "INSTALLER").unlink()
    (site(place) / "numpy" / "__init__.py").write_text("stripped = 1\n")
    severe, data = audit(place)
    assert severe == []
    assert "a package of the system" in seen(data, "R23")


def test_a_flipped_bit_is_found_where_every_file_is_read(build, audit):
    place = build()
    file = site(place) / "typing_extensions" / "__init__.py"
    file.write_bytes(file.read_bytes().replace(b"4", b"5", 1))
    assert audit(place)[0] == []
    severe, data = audit(place, "--files")
    assert severe == [("R23", "error")]
    assert "has another hash" in seen(data, "R23")
    file.unlink()
    assert "is missing" in seen(audit(place, "--files")[1], "R23")


def test_missing_and_wrong_dependencies(build, audit):
    place = build(
        Spec("pillow", "8.3.1"), Spec("other", "1", ("absent>=2", "numpy>=3; extra == 'x'"))
    )
    severe, data = audit(place)
    assert ("R24", "error") in severe
    told = seen(data, "R24").splitlines()
    assert "other 1 needs absent, which is missing" in told
    assert any("needs pillow" in line and "8.3.1 is installed" in line for line in told)
    assert ("R12", "error") in severe
    assert len(told) == 2


def test_two_copies(build, audit):
    place = build()
    shutil.copytree(site(place) / "numpy-1.26.4.dist-info", site(place) / "numpy-1.21.0.dist-info")
    metadata = site(place) / "numpy-1.21.0.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text().replace("1.26.4", "1.21.0"))
    severe, data = audit(place)
    assert ("R25", "error") in severe
    assert seen(data, "R25") == "numpy: 1.21.0 and 1.26.4"
    metadata.write_text(metadata.read_text().replace("1.21.0", "1.26.4"))
    assert audit(place)[0] == [("R25", "warning")], "twice the same version"


def test_what_an_interrupted_removal_leaves(build, audit):
    place = build()
    (site(place) / "idna-3.1.dist-info").mkdir()
    severe, data = audit(place)
    assert severe == [("R25", "error")]
    assert seen(data, "R25") == "idna: without metadata"


@pytest.mark.parametrize("version", ["70.0.0", "84.2.1"])
def test_setuptools_is_worth_knowing_only(build, audit, version):
    severe, data = audit(build(Spec("setuptools", version)))
    assert severe == []
    assert version in seen(data, "R13")


def test_setuptools_that_fits(build, audit):
    assert seen(audit(build(Spec("setuptools", "59.6.0")))[1], "R13") == ""


def test_triton_beside_torch_1(build, audit):
    severe, data = audit(build(Spec("pytorch-triton-rocm", "2.0.1")))
    assert severe == [("R11", "warning")]
    assert "is not used by torch 1.13.1" in seen(data, "R11")


def test_a_broken_interpreter(build, audit, run):
    place = build(Spec("numpy", "2.2.6"))
    program = place / "bin" / "python3.10"
    for name in ("python", "python3", "python3.10"):
        (place / "bin" / name).unlink()
    program.write_text("#!/nowhere/python\n")
    program.chmod(0o755)
    (place / "bin" / "python").symlink_to(program)
    severe, data = audit(place)
    assert ("R05", "error") in severe
    assert "read from the files next to it" in data["notes"][0]
    (place / "bin" / "python").unlink()
    assert ("R05", "error") in audit(place)[0]


def test_the_same_bytes_twice_whatever_the_locale(build, run, monkeypatch):
    place = build(Spec("numpy", "2.2.6"), Spec("pillow", "8.3.1"))
    outputs = set()
    for locale in ("C", "C.UTF-8", "tr_TR.UTF-8"):
        for form in ("table", "json", "sarif", "github"):
            monkeypatch.setenv("LC_ALL", locale)
            outputs.add((form, run("audit", place, "--format", form).out))
    assert len(outputs) == 4


def test_the_active_environment_is_the_default(build, run, monkeypatch):
    place = build(Spec("numpy", "2.2.6"))
    monkeypatch.setenv("VIRTUAL_ENV", str(place))
    assert "R05" in run("audit").out
    monkeypatch.delenv("VIRTUAL_ENV")
    monkeypatch.setenv("CONDA_PREFIX", str(place))
    assert "R05" in run("audit").out
    monkeypatch.delenv("CONDA_PREFIX")
    monkeypatch.setenv("PATH", str(place / "bin"))
    assert "R05" in run("audit").out
    assert "R05" in run("audit", "python3").out


def test_the_table_says_what_to_do(build, run):
    place = build(Spec("numpy", "2.2.6"))
    result = run("audit", place)
    assert result.status == 1
    assert "error R05: numpy < 2 for torch up to 2.2" in result.out
    assert "  seen:    numpy 2.2.6 with torch 1.13.1+rocm5.2" in result.out
    assert "-m pip install 'numpy<2'" in result.out
    assert "worth knowing (-v shows more)" in result.out
    assert ", 0 warnings" in result.err
    longer = run("audit", place, "-v").out
    assert "seen as: RuntimeError: Numpy is not available" in " ".join(longer.split())
    assert "source:  https://numpy.org" in longer


def test_a_script_that_would_mend_it(build, run, monkeypatch, tmp_path):
    """Printed, and only then run by us: afterwards the finding is gone."""
    monkeypatch.setenv("HSA_OVERRIDE_GFX_VERSION", "10.3.0")
    place = build(Spec("numpy", "2.2.6"), Spec("pytorch-triton-rocm", "2.0.1"))
    before = sorted(path.name for path in site(place).iterdir())
    script = run("audit", place, "--fix").out
    assert sorted(path.name for path in site(place).iterdir()) == before
    assert script.startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)
    assert "pip install 'numpy<2'" in script
    uv = run("audit", place, "--fix", "uv").out
    assert "uv pip install --python" in uv
    subprocess.run(["sh", "-n"], input=uv, text=True, check=True)
    # pip in the environment, and an index with both numpys, stand in for the user's.
    from support.wheels import make_wheel

    wheels = tmp_path / "index"
    wheels.mkdir()
    for spec in (Spec("numpy", "1.26.4"), Spec("numpy", "2.2.6")):
        wheel = make_wheel(spec)
        (wheels / wheel.filename).write_bytes(wheel.content)
    subprocess.run([place / "bin" / "python", "-m", "ensurepip"], check=True, capture_output=True)
    env = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}
    subprocess.run(["sh"], input=script, text=True, check=True, env=env, capture_output=True)
    data = json.loads(run("audit", place, "--json").out)
    assert data["errors"] == 0
    assert "R11" not in {item["rule"] for item in data["findings"]}
    clean_script = run("audit", place, "--fix").out
    assert "There is nothing to mend" in clean_script


def test_suppressions_need_a_reason_and_are_counted(build, run, monkeypatch):
    monkeypatch.setenv("HSA_OVERRIDE_GFX_VERSION", "10.3.0")
    place = build(Spec("numpy", "2.2.6"))
    config = Path("pyproject.toml")
    config.write_text(
        '[tool.rdna1-lock.audit]\nignore = [{ rule = "R05", reason = "no arrays" }]\n'
    )
    result = run("audit", place)
    assert result.status == 0
    assert "1 set aside by pyproject.toml" in result.err
    data = json.loads(run("audit", place, "--json").out)
    assert data["suppressed"][0]["reason"] == "no arrays"
    for text, words in (
        ('ignore = [{ rule = "R05" }]', "without a reason"),
        ('ignore = [{ rule = "R99", reason = "x" }]', "the rule R99 does not exist"),
        ("ignore = 3", "must be a list"),
    ):
        config.write_text(f"[tool.rdna1-lock.audit]\n{text}\n")
        refused = run("audit", place)
        assert (refused.status, refused.code) == (3, "bad-suppressions")
        assert words in refused.err
    named = run("audit", place, "--config", "elsewhere.toml")
    assert (named.status, named.code) == (3, "bad-suppressions")
    assert "cannot read elsewhere.toml: No such file or directory" in named.err


def test_against_a_lock(server: Server, run, python, monkeypatch):
    monkeypatch.setenv("HSA_OVERRIDE_GFX_VERSION", "10.3.0")
    made = run("resolve", *replica_options(server))
    assert made.status == 0, made.err
    lock = Path("locks/rocm5.2-cp310")
    assert run("sync", lock, "--venv", "env", "--python", python, "-q").status == 0
    same = run("audit", "env", "--against", lock, "--json")
    assert [i for i in json.loads(same.out)["findings"] if i["rule"] == "R26"] == []
    [numpy] = Path("env").glob("lib/python3.10/site-packages/numpy/__init__.py")
    numpy.write_text("changed = 1\n")
    shutil.rmtree(next(Path("env").glob("lib/python3.10/site-packages/idna-*.dist-info")))
    data = json.loads(run("audit", "env", "--against", lock, "--json").out)
    told = seen(data, "R26")
    assert "idna 3.10 is missing" in told
    assert "numpy/__init__.py is changed" in told
    text = lock / "requirements.txt"
    assert "R26" not in run("audit", text, "--against", lock).out
    text.write_text(text.read_text().replace("idna==3.10", "idna==3.9"))
    assert "idna is 3.9, locked is 3.10" in run("audit", text, "--against", lock).out


# The machine.


def test_the_host_alone_and_beside_an_environment(build, run, monkeypatch, tmp_path):
    alone = run("audit", "--host", "--json")
    assert alone.status == 0
    assert {i["rule"] for i in json.loads(alone.out)["findings"]} <= {"R14"}
    machine = make_machine(tmp_path / "two", [sysfs.RX_5700_XT, sysfs.RAPHAEL])
    host = look_at_host(load_gpus(), machine.root, kernel="6.8.0")
    monkeypatch.setattr("rdna1_lock.host.system.look_at_host", lambda cards: host)
    monkeypatch.setenv("HSA_OVERRIDE_GFX_VERSION", "10.3.0")
    data = json.loads(run("audit", build(), "--host", "--json").out)
    assert "R15" in {i["rule"] for i in data["findings"]}
    monkeypatch.setenv("HIP_VISIBLE_DEVICES", "0")
    data = json.loads(run("audit", "--host", "--json").out)
    assert data["subjects"] == ["this machine"]


def test_a_system_rocm_is_worth_knowing(run, monkeypatch, tmp_path):
    machine = make_machine(tmp_path / "m", [sysfs.RX_5600_XT])
    machine.write("opt/rocm/.info/version", "6.2.4-120\n")
    host = look_at_host(load_gpus(), machine.root, kernel="6.8.0")
    monkeypatch.setattr("rdna1_lock.host.system.look_at_host", lambda cards: host)
    data = json.loads(run("audit", "--host", "--json").out)
    assert "ROCm 6.2.4" in seen(data, "R10")


# --deep, with stand-ins for torch that do what a broken one does.


def deep(build, audit, module: str, **variables: str):
    files = {**TORCH_FILES, "torch/__init__.py": module}
    return audit(build(torch(files=files)), "--deep", **variables)


def test_deep_finds_a_torch_that_does_not_import(build, audit):
    text = "raise ImportError('libamdhip64.so: cannot enable executable stack as shared object requires')"
    severe, data = deep(build, audit, text)
    assert severe == [("R01", "error")]
    assert "torch does not start: ImportError" in seen(data, "R01")


def test_deep_survives_a_torch_that_hangs(build, audit, monkeypatch):
    from rdna1_lock.audit import deep as module

    monkeypatch.setitem(module.BUDGET, "import", 2.0)
    severe, data = deep(build, audit, "import time\ntime.sleep(3600)")
    assert severe == [("R27", "error")]
    assert "torch hangs in phase import" in seen(data, "R27")


def test_deep_tells_the_rule_by_what_hip_prints(build, audit):
    text = "import os, sys\nsys.stderr.write('hipErrorNoBinaryForGpu: Unable to find code object\\n')\nsys.stderr.flush()\nos.abort()"
    severe, _ = deep(build, audit, text)
    assert severe == [("R06", "error")]


def test_deep_wants_an_environment(run):
    shutil.copyfile(LOCK, "pylock.toml")
    result = run("audit", "pylock.toml", "--deep")
    assert (result.status, result.code) == (2, "options-clash")


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("/nowhere", 3, "no-target"),
        ("empty", 3, "not-an-environment"),
        ("notes.md", 3, "unknown-file"),
    ],
)
def test_targets_that_are_none(run, target, status, code):
    Path("empty").mkdir()
    Path("notes.md").write_text("hello")
    result = run("audit", target)
    assert (result.status, result.code) == (status, code)
    assert "lock file" in result.err or "pylock.toml" in result.err
