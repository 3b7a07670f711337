"""The suite ``conv2d-sweep/1``: its cases, its bounds, and the digests of the right results. Pure."""

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
# torch 1.13's two ways through MIOpen (aten/src/ATen/native/miopen/Conv_miopen.cpp): with
# `cudnn.benchmark` off miopenConvolutionForwardImmediate, on miopenFindConvolutionForwardAlgorithm.
ROUTES = ("immediate", "find")
# The ten sizes of the public report that this project started from; 44 is the first one that hung
# there (with GEMM solvers alone).
SIZES = (32, 40, 42, 44, 48, 56, 64, 128, 224, 512)
FIRST_HANG = 44
WARM = 5

# `proof/measurement.py` says what these bound, and why. An error above K_PASS is a remark, one
# above K_MAX a failure; both bounds themselves still count as below. OFF_MAX does not.
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
        """Return the case as the worker reads it."""
        return {"id": self.id, "shape": list(self.shape), "route": self.route}


def shape_key(shape: tuple[int, int, int, int]) -> str:
    """Write a shape as it is in case names."""
    batch, cin, cout, size = shape
    return f"{batch}x{cin}x{size}-{cout}"


# 3 -> 64 are the report's. 16 -> 32 is the shape that hung there. 64 -> 64 with batch 8 is one to
# which MIOpen's implicit GEMM solvers apply: the depth of its GEMM, channels * 3 * 3, is a multiple
# of their tile's, and that of 3 -> 64 (27) is not.
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
    """Return the seed of the inputs; nobody has the results for a new challenge beforehand."""
    return ID if challenge is None else f"{ID}|challenge|{challenge}"


@cache
def digests() -> dict[str, dict[str, str]]:
    """Return the right digests by shape and tensor, for the seed without a challenge."""
    text = files("rdna1_lock.certify.run").joinpath("digests.json").read_text("utf-8")
    found: dict[str, dict[str, str]] = json.loads(text)
    return found


def definition() -> dict[str, Any]:
    """Return everything that defines the suite; its digest identifies it."""
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
