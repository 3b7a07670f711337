"""Small environments, made by venv and pip from stand-in wheels, and ELF files from gcc."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from support.wheels import Spec, make_wheel

TORCH_FILES = {
    "torch/version.py": "__version__ = '1.13.1+rocm5.2'\ncuda = None\nhip = '5.2.21151-afdc89f8'\n",
    "torch/lib/rocblas/library/TensileLibrary_gfx1030.co": "kernels",
    "torch/lib/rocblas/library/TensileLibrary_gfx906.co": "kernels",
}
CUDA_FILES = {
    "torch/version.py": "__version__ = '1.13.1'\ncuda: Optional[str] = '11.7'\nhip: Optional[str] = None\n"
}
TAG = "cp310-cp310-linux_x86_64"


def torch(version: str = "1.13.1+rocm5.2", files: dict[str, str] | None = None) -> Spec:
    return Spec(
        "torch", version, ("typing-extensions",), modules=TORCH_FILES if files is None else files
    )


RIGHT = (
    torch(),
    Spec("torchvision", "0.14.1+rocm5.2", ("numpy", "torch==1.13.1", "pillow!=8.3.*,>=5.3.0")),
    Spec("numpy", "1.26.4"),
    Spec("pillow", "11.3.0"),
    Spec("typing-extensions", "4.15.0"),
)


def make_environment(place: Path, specs: Iterable[Spec], python: str = sys.executable) -> Path:
    """Make a virtual environment of exactly these; later specs of one name go over earlier ones."""
    wheels = place.parent / f"{place.name}-wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    # Our pip is too new for the older ones; they bring one of their own.
    old = any(f"python3.{minor}" in python for minor in (7, 8, 9))
    without = [] if old else ["--without-pip"]
    subprocess.run([python, "-m", "venv", *without, str(place)], check=True)
    chosen = {spec.name: spec for spec in specs}
    paths = []
    for spec in chosen.values():
        wheel = make_wheel(spec)
        (wheels / wheel.filename).write_bytes(wheel.content)
        paths.append(str(wheels / wheel.filename))
    own = str(place / "bin" / "python")
    pip = [own, "-m", "pip"] if old else [sys.executable, "-m", "pip", "--python", own]
    subprocess.run([*pip, "-q", "install", "--no-index", "--no-deps", *paths], check=True)
    return place


def site(place: Path) -> Path:
    [found] = place.glob("lib/python3.*/site-packages")
    return found


def compile_library(
    target: Path,
    *,
    executable_stack: bool = False,
    runpath: str | None = None,
    rpath: str | None = None,
    needs: Iterable[str] = (),
) -> None:
    """Build a real shared library with the flags in question."""
    if shutil.which("gcc") is None:
        pytest.skip("no gcc on this machine")
    target.parent.mkdir(parents=True, exist_ok=True)
    source = target.parent / "stand_in.c"
    source.write_text("int stand_in(void) { return 1; }\n")
    options = ["-Wl,-z,execstack" if executable_stack else "-Wl,-z,noexecstack"]
    if runpath:
        options += ["-Wl,--enable-new-dtags", f"-Wl,-rpath,{runpath}"]
    if rpath:
        options += ["-Wl,--disable-new-dtags", f"-Wl,-rpath,{rpath}"]
    for name in needs:
        other = target.parent / name
        subprocess.run(
            ["gcc", "-shared", "-fPIC", "-o", other, f"-Wl,-soname,{name}", source], check=True
        )
        options += ["-Wl,--no-as-needed", str(other)]
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-o", target, source, *options], check=True, cwd=target.parent
    )
    source.unlink()
