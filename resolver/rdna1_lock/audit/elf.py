"""What the dynamic loader will do with the installed torch, from the headers of its libraries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

from rdna1_lock.audit.subject import TorchFiles
from rdna1_lock.regular import open_regular, read_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

T = TypeVar("T")

LOADED = ("libtorch_hip.so", "libtorch.so")
# elf.h: PF_X of the segment PT_GNU_STACK.
EXECUTABLE = 1
LARGEST_SOURCE = 2**20
_VERSION = re.compile(r"^(hip|cuda)\s*(?::[^=]*)?=\s*['\"]([^'\"]+)['\"]", re.MULTILINE)
_GFX = re.compile(r"gfx[0-9a-f]{3,5}")


def look_at_torch(place: Path, libraries: Iterable[str]) -> TorchFiles | None:
    """Read the torch in a site-packages folder; None if there is none.

    ``libraries`` are those that may ask for an executable stack. A file that is not an ELF file,
    or a broken one, is passed over.
    """
    torch = place / "torch"
    if not torch.is_dir():
        return None
    try:
        text = read_regular(torch / "version.py", LARGEST_SOURCE).decode("utf-8", "replace")
    except OSError:
        text = ""
    said = dict(_VERSION.findall(text))
    lib = torch / "lib"
    loader = next(filter(None, (_loader(lib / name) for name in LOADED)), None)
    return TorchFiles(
        hip=said.get("hip"),
        cuda=said.get("cuda"),
        gfx=_targets(lib),
        stack=tuple(name for name in libraries if _wants_executable_stack(lib / name)),
        loader=loader,
        vision_needs=_needed(place / "torchvision"),
    )


def _targets(lib: Path) -> frozenset[str]:
    """Return the gfx targets for which rocBLAS has kernels: one file name or more for each."""
    found: set[str] = set()
    try:
        for entry in (lib / "rocblas" / "library").iterdir():
            found.update(_GFX.findall(entry.name))
    except OSError:
        return frozenset()
    return frozenset(found)


def _read(path: Path, look: Callable[[Any], T], nothing: T) -> T:
    """Return what ``look`` sees in an ELF file; ``nothing`` for another file, or a broken one."""
    from elftools.elf.elffile import ELFFile  # 40 ms, only for a torch

    try:
        with open_regular(path) as file:
            return look(ELFFile(file))
    except Exception:  # a broken header: pyelftools raises whatever it meets
        return nothing


def _wants_executable_stack(path: Path) -> bool:
    def look(elf: Any) -> bool:
        return any(
            segment["p_type"] == "PT_GNU_STACK" and segment["p_flags"] & EXECUTABLE
            for segment in elf.iter_segments()
        )

    return path.is_file() and _read(path, look, nothing=False)


def _dynamic(path: Path) -> list[tuple[str, str]]:
    """Return (tag, value) of the dynamic section, for the tags that name libraries and paths."""
    names = {"DT_NEEDED": "needed", "DT_RPATH": "rpath", "DT_RUNPATH": "runpath"}

    def look(elf: Any) -> list[tuple[str, str]]:
        section = elf.get_section_by_name(".dynamic")
        return [
            (tag.entry.d_tag, str(getattr(tag, names[tag.entry.d_tag])))
            for tag in (section.iter_tags() if section is not None else ())
            if tag.entry.d_tag in names
        ]

    return _read(path, look, nothing=[]) if path.is_file() else []


def _loader(path: Path) -> str | None:
    """Return RUNPATH, which LD_LIBRARY_PATH overrides, or RPATH, which it does not."""
    tags = {tag for tag, _ in _dynamic(path)}
    for name in ("RUNPATH", "RPATH"):
        if f"DT_{name}" in tags:
            return name
    return None


def _needed(vision: Path) -> tuple[str, ...]:
    for path in sorted(vision.glob("_C*.so")):
        return tuple(value for tag, value in _dynamic(path) if tag == "DT_NEEDED")
    return ()
