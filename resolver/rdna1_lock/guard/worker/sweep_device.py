"""What torch and the loader say of the device and of the libraries that are really mapped."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Any

import torch

LIBRARIES = (
    "libMIOpen",
    "libamd_comgr",
    "libamdhip64",
    "libc.so",
    "libc-",
    "libcudart",
    "libcudnn",
    "libdrm_amdgpu",
    "libhsa-runtime64",
    "libhsakmt",
    "libnccl",
    "librccl",
    "librocblas",
    "libstdc++",
    "libtorch_cpu",
    "libtorch_cuda",
    "libtorch_hip",
    "libtorch_python",
)


def choose(wanted: str) -> str:
    """Return ``cpu`` or ``cuda`` (which HIP is called in torch).

    Raises:
        RuntimeError: a GPU is wanted and torch sees none.

    """
    visible = wanted != "cpu" and torch.cuda.is_available()
    if wanted == "gpu" and not visible:
        raise RuntimeError("torch sees no GPU: torch.cuda.is_available() is False")
    return "cuda" if visible else "cpu"


def describe(device: str) -> dict[str, Any]:
    """Return what is computed on; the runtime may have been told to lie about ``name`` and arch."""
    told: dict[str, Any] = {
        "kind": "cpu",
        "torch": torch.__version__,
        "hip": torch.version.hip,
        "cuda": torch.version.cuda,
        "threads": torch.get_num_threads(),
        "libc": (os.confstr("CS_GNU_LIBC_VERSION") or "").rpartition(" ")[2],
    }
    if device != "cpu":
        properties = torch.cuda.get_device_properties(0)
        told.update(
            kind="hip" if torch.version.hip else "cuda",
            name=properties.name,
            arch=getattr(properties, "gcnArchName", None),
            capability=list(torch.cuda.get_device_capability(0)),
            memory=properties.total_memory,
            count=torch.cuda.device_count(),
            backend=torch.backends.cudnn.version(),
            slot=_slot(),
        )
    return told


def mapped() -> dict[str, str]:
    """Return the native libraries of this process by name, with their paths."""
    found = {}
    for line in Path("/proc/self/maps").read_text().splitlines():
        parts = line.split(None, 5)
        path = parts[5].strip() if len(parts) == 6 else ""
        name = os.path.basename(path)  # noqa: PTH119  # plain text from the kernel
        if name.startswith(LIBRARIES):
            found[name] = path
    return found


def _slot() -> str | None:
    """Return the PCI slot of device 0 as the runtime knows it, e.g. ``0000:0b:00.0``."""
    for name, path in mapped().items():
        for stem, function in (
            ("libamdhip64", "hipDeviceGetPCIBusId"),
            ("libcudart", "cudaDeviceGetPCIBusId"),
        ):
            if name.startswith(stem):
                buffer = ctypes.create_string_buffer(64)
                if getattr(ctypes.CDLL(path), function)(buffer, 64, 0) == 0:
                    return buffer.value.decode().lower()
    return None
