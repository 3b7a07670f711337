"""Both indexes as they are laid out for real, with small stand-ins for the ROCm wheels."""

from __future__ import annotations

from support.server import Server
from support.wheels import Spec

ROCM_TAG = "cp310-cp310-linux_x86_64"
TORCH = Spec(
    "torch",
    "1.13.1+rocm5.2",
    ("typing-extensions",),
    {"opt-einsum": ("opt-einsum",)},
    ">=3.7.0",
    ROCM_TAG,
    front=True,
    padding=4096,
)
VISION = Spec(
    "torchvision",
    "0.14.1+rocm5.2",
    ("typing-extensions", "numpy", "requests", "torch (==1.13.1)", "pillow (!=8.3.*,>=5.3.0)"),
    {"scipy": ("scipy",)},
    ">=3.7",
    ROCM_TAG,
)
AUDIO = Spec("torchaudio", "0.13.1+rocm5.2", ("torch (==1.13.1)",), tag=ROCM_TAG)
MANY = "manylinux_2_17_x86_64.manylinux2014_x86_64"

PINS = {
    "certifi": "2026.1.1",
    "charset-normalizer": "3.4.0",
    "idna": "3.10",
    "numpy": "1.26.4",
    "pillow": "11.3.0",
    "requests": "2.32.5",
    "torch": "1.13.1+rocm5.2",
    "torchvision": "0.14.1+rocm5.2",
    "typing-extensions": "4.15.0",
    "urllib3": "2.5.0",
}


def build_replica(server: Server, **style: object) -> tuple[str, str]:
    """Fill ``pypi`` and ``rocm`` with the default closure and with decoys; return their URLs."""
    pypi = server.index("pypi", **{"kind": "json", "metadata_files": True, **style})
    for spec in (
        Spec("certifi", "2026.1.1", requires_python=">=3.7"),
        Spec("charset-normalizer", "3.4.0", tag=f"cp310-cp310-{MANY}"),
        Spec("charset-normalizer", "3.4.0"),
        Spec("idna", "3.9"),
        Spec("idna", "3.10", requires_python=">=3.6"),
        Spec("numpy", "1.26.4", requires_python=">=3.9", tag=f"cp310-cp310-{MANY}"),
        Spec("numpy", "1.26.4", requires_python=">=3.9", tag=f"cp311-cp311-{MANY}"),
        Spec("numpy", "2.2.6", requires_python=">=3.10", tag=f"cp310-cp310-{MANY}"),
        Spec("pillow", "11.3.0", tag="cp310-cp310-manylinux_2_27_x86_64.manylinux_2_28_x86_64"),
        Spec("pillow", "11.3.0", tag="cp310-cp310-manylinux_2_34_x86_64"),
        Spec("pillow", "12.0.0", tag="cp310-cp310-win_amd64"),
        Spec(
            "requests",
            "2.32.5",
            (
                "charset-normalizer<4,>=2",
                "idna<4,>=2.5",
                "urllib3<3,>=1.21.1",
                "certifi>=2017.4.17",
            ),
            {"socks": ("PySocks!=1.5.7,>=1.5.6",)},
        ),
        Spec("typing-extensions", "4.15.0"),
        Spec("urllib3", "2.5.0"),
        Spec("pysocks", "1.7.1"),
        # Decoys: a CUDA torch with a higher version, as the real index has one.
        Spec("torch", "9.9.9", tag=f"cp310-cp310-{MANY}"),
        Spec("torchvision", "9.9.9", tag=f"cp310-cp310-{MANY}"),
    ):
        pypi.add(spec)
    pypi.add(Spec("urllib3", "2.6.0"), yanked="broken")
    pypi.add(Spec("idna", "4.0a1"))
    pypi.add_sdist("requests", "3.0.0")
    rocm = server.index("rocm", kind="pytorch", metadata_files=True, absent=403)
    for spec in (
        TORCH,
        VISION,
        AUDIO,
        Spec("torch", "1.13.0+rocm5.2", ("typing-extensions",), tag=ROCM_TAG),
        Spec("torch", "1.13.1+rocm5.2", ("typing-extensions",), tag="cp39-cp39-linux_x86_64"),
        Spec("torch", "2.0.0.dev20230209+rocm5.2", tag=ROCM_TAG),
        Spec("torch", "1.13.1+cu117", tag=ROCM_TAG),
        Spec("torchaudio", "0.13.1+cu117", tag=ROCM_TAG),
        Spec("torchaudio", "0.13.2+cu117", tag=ROCM_TAG),
        Spec("typing-extensions", "99.0"),
        Spec("numpy", "1.99.0", tag=ROCM_TAG),
    ):
        rocm.add(spec)
    return server.url("pypi"), server.url("rocm")


def replica_options(server: Server, **style: object) -> list[str]:
    """Return the options that make ``resolve`` use a fresh replica and nothing else."""
    default, rocm = build_replica(server, **style)
    return ["--no-catalogue", "--index-url", default, "--rocm-index-url", rocm]
