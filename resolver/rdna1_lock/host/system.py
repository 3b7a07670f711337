"""Kernel, C library, permissions, container: what a card needs around it."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rdna1_lock.host.gpus import Gpu, find_gpus, read_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rdna1_lock.rules import Gpus

PARAMETERS = (
    "cwsr_enable",
    "gpu_recovery",
    "lockup_timeout",
    "mtype_local",
    "noretry",
    "sched_policy",
    "vm_fragment_size",
)
CONTAINER_MARKS = (".dockerenv", "run/.containerenv", "run/systemd/container")


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device node: ``usable`` says whether this user may open it for reading and writing."""

    path: str
    exists: bool
    usable: bool
    group: str | None


@dataclass(frozen=True, kw_only=True)
class Host:
    """The machine; nothing in it names the machine or its user.

    ``targets`` are the gfx targets that count as RDNA1.
    """

    kernel: str
    machine: str
    libc: str | None
    system: str | None
    processor: str | None
    container: bool
    sysfs: bool
    driver_loaded: bool
    parameters: Mapping[str, str]
    devices: tuple[Device, ...]
    gpus: tuple[Gpu, ...]
    targets: tuple[str, ...]
    rocm: str | None = None

    @property
    def rdna1(self) -> tuple[Gpu, ...]:
        """The cards that the locks are for."""
        return tuple(gpu for gpu in self.gpus if gpu.gfx in self.targets)

    @property
    def kernel_series(self) -> str:
        """Major and minor version, e.g. ``6.8``."""
        match = re.match(r"\d+\.\d+", self.kernel)
        return match[0] if match else self.kernel


def look_at_host(table: Gpus, root: Path = Path("/"), *, kernel: str | None = None) -> Host:
    """Read the machine under ``root`` (another one in tests, with its ``kernel``)."""
    gpus = find_gpus(table, root)
    renders = [f"dev/dri/{gpu.render}" for gpu in gpus if gpu.render]
    processor = _match(root / "proc/cpuinfo", r"^model name\s*:\s*(.*)$")
    module = root / "sys/module/amdgpu"
    parameters = {name: read_text(module / "parameters" / name) for name in PARAMETERS}
    return Host(
        kernel=kernel or platform.release(),
        machine=platform.machine(),
        libc=libc_version(),
        system=_match(root / "etc/os-release", r'^PRETTY_NAME="?([^"\n]*)'),
        processor=" ".join(processor.split()) if processor is not None else None,
        container=any((root / name).exists() for name in CONTAINER_MARKS),
        sysfs=(root / "sys/bus").is_dir(),
        driver_loaded=module.is_dir(),
        parameters={name: text for name, text in parameters.items() if text is not None},
        devices=tuple(_device(root, name) for name in dict.fromkeys(["dev/kfd", *renders])),
        gpus=gpus,
        targets=table.targets,
        rocm=_system_rocm(root),
    )


def _match(path: Path, pattern: str) -> str | None:
    found = re.search(pattern, read_text(path) or "", re.MULTILINE)
    return found[1] if found else None


def _system_rocm(root: Path) -> str | None:
    """Return the version of a ROCm that is installed on the system, e.g. ``6.2.4``."""
    text = read_text(root / "opt/rocm/.info/version")
    return text.split("-")[0] if text else None


def libc_version() -> str | None:
    """Return the version of the C library of this process, e.g. ``2.36``; None if it is not glibc."""
    try:
        text = os.confstr("CS_GNU_LIBC_VERSION")
    except (ValueError, OSError):
        return None
    return text.rpartition(" ")[2] if text else None


def _device(root: Path, name: str) -> Device:
    path = root / name
    try:
        status = path.stat()
    except OSError:
        return Device(path=f"/{name}", exists=False, usable=False, group=None)
    import grp  # only where there is a device

    try:
        group = grp.getgrgid(status.st_gid).gr_name
    except KeyError:
        group = str(status.st_gid)
    # Asking for access rather than comparing groups covers ACLs and containers.
    usable = os.access(path, os.R_OK | os.W_OK)
    return Device(path=f"/{name}", exists=True, usable=usable, group=group)
