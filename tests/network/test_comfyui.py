"""The recipe of ComfyUI: its real requirements, beside AMD's native wheels on a replica."""

from __future__ import annotations

from pathlib import Path

import pytest

from rdna1_lock import toml
from support.server import Server
from support.wheels import Spec

SERIES = "10.1.0"
FAMILY = {"torch": "2.12.0", "torchvision": "0.27.0", "torchaudio": "2.11.0"}

pytestmark = pytest.mark.network


@pytest.fixture
def native(server: Server) -> str:
    """Serve the family of torch in the multi-arch layout, with the releases that reports name."""
    amd = server.index("amd", kind="pytorch", hashes=False, absent=403)
    torch = f"{FAMILY['torch']}+rocm{SERIES}"
    tag = "cp312-cp312-linux_x86_64"
    device = {"device-gfx1010": (f"amd-torch-device-gfx1010=={torch}",)}
    amd.add(Spec("torch", torch, ("typing-extensions", "sympy", "jinja2"), device, tag=tag))
    amd.add(Spec("amd-torch-device-gfx1010", torch, tag=tag))
    for name in ("torchvision", "torchaudio"):
        amd.add(Spec(name, f"{FAMILY[name]}+rocm{SERIES}", (f"torch=={torch}",), tag=tag))
    return server.url("amd")


def test_its_requirements_have_a_lock(native: str, run):
    result = run(
        "resolve",
        "--for",
        "comfyui",
        "--gfx",
        "gfx1010",
        "--rocm-index-url",
        native,
        "--output-dir",
        "lock",
    )
    assert result.status == 0, result.err
    packages = {p["name"]: p for p in toml.loads(Path("lock/pylock.toml").read_text())["packages"]}
    assert packages["torch"]["version"] == f"2.12.0+rocm{SERIES}"
    assert "amd-torch-device-gfx1010" in packages
    assert {"comfyui-frontend-package", "comfy-kitchen", "comfy-aimdo", "transformers"} <= set(
        packages
    )
    # No measured bound of torch 1.13 reaches it.
    assert int(packages["transformers"]["version"].partition(".")[0]) >= 5
    assert "the recipe comfyui was not run: " in " ".join(result.err.split())
