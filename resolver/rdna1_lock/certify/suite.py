"""The suite ``conv2d-sweep/1``: its cases, its bounds, and the digests of the right answers. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

ID = "conv2d-sweep/1"
URI = "urn:rdna1-lock:suite:conv2d-sweep:1"
TENSORS = ("y", "dx", "dw", "db")
# The route of torch 1.13 through MIOpen (Conv_miopen.cpp): `cudnn.benchmark` off goes to
# miopenConvolutionForwardImmediate, on to miopenFindConvolutionForwardAlgorithm.
ROUTES = ("immediate", "find")
# The ten sizes of the public report that this project started from; 44 is the first of those
# that hung there (with GEMM solvers alone).
SIZES = (32, 40, 42, 44, 48, 56, 64, 128, 224, 512)
FIRST_HANG = 44
WARM = 5

# Errors, in units that `guard/worker/sweep_conv.py` defines. Direct and GEMM stay below 1.1, FFT below
# 3, Winograd F(4x4) near 31; TF32 shows in the 2-norm alone.
K_PASS = 8.0
K_MAX = 64.0
REL_L2_MAX = 2e-5
OFF_MAX = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One convolution of the sweep on one route: batch, channels in, channels out, size."""

    shape: tuple[int, int, int, int]
    route: str

    @property
    def key(self) -> str:
        """What the right answer depends on: the shape, e.g. ``1x3x44-64``."""
        return shape_key(self.shape)

    @property
    def id(self) -> str:
        """The name in evidence and certificates, e.g. ``conv2d/1x3x44-64/find``."""
        return f"conv2d/{self.key}/{self.route}"

    @property
    def size(self) -> int:
        """Height and width of the input."""
        return self.shape[3]

    def to_task(self) -> dict[str, Any]:
        """Return what the worker is told."""
        return {"id": self.id, "shape": list(self.shape), "route": self.route}


def shape_key(shape: tuple[int, int, int, int]) -> str:
    """Write a shape as it stands in case names."""
    batch, cin, cout, size = shape
    return f"{batch}x{cin}x{size}-{cout}"


# 3 -> 64 is the report's. 16 -> 32 is the shape that hung there. 64 -> 64 with batch 8 is one for
# which an implicit GEMM solver is applicable, which it is for none of 3 -> 64 (27 products).
SHAPES: tuple[tuple[int, int, int, int], ...] = (
    *((1, 3, 64, size) for size in SIZES),
    *((1, 16, 32, size) for size in (32, 42, 44, 64, 128)),
    *((8, 64, 64, size) for size in (32, 44, 64)),
)


def cases(sizes: frozenset[int] | None = None) -> tuple[Case, ...]:
    """Return the cases of the suite, both routes of a shape one after the other."""
    return tuple(
        Case(shape=shape, route=route)
        for shape in SHAPES
        if sizes is None or shape[3] in sizes
        for route in ROUTES
    )


def seed_of(challenge: str | None) -> str:
    """Return the seed of the inputs; a challenge makes answers that nobody has beforehand."""
    return ID if challenge is None else f"{ID}|challenge|{challenge}"


@cache
def digests() -> dict[str, dict[str, str]]:
    """Return the right digests by shape and tensor, for the seed without a challenge."""
    text = files("rdna1_lock.certify").joinpath("digests.json").read_text("utf-8")
    found: dict[str, dict[str, str]] = json.loads(text)
    return found


def definition() -> dict[str, Any]:
    """Return everything that the suite is: two suites are one if their digests are equal."""
    return {
        "id": ID,
        "seed": ID,
        "cases": [case.id for case in cases()],
        "bounds": {"k_pass": K_PASS, "k_max": K_MAX, "rel_l2": REL_L2_MAX, "off": OFF_MAX},
        "digests": digests(),
    }


@cache
def suite_digest() -> str:
    """Return the sha256 of the definition, in hexadecimal."""
    text = json.dumps(definition(), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def worker_digest() -> str:
    """Return the sha256 over the worker's files: which program measured."""
    total = hashlib.sha256()
    folder = files("rdna1_lock.guard").joinpath("worker")
    for name in sorted(item.name for item in folder.iterdir() if item.name.endswith(".py")):
        content = folder.joinpath(name).read_bytes()
        total.update(f"{name} {len(content)}\n".encode() + content)
    return total.hexdigest()
