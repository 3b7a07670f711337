"""The tensors of a case, from SHAKE-256: the same on every machine and with every torch."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import torch

TENSORS = ("y", "dx", "dw", "db")


class Case:
    """One convolution, 3x3 with padding 1: batch, channels in and out, height and width."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.id: str = spec["id"]
        self.route: str = spec["route"]
        self.batch, self.cin, self.cout, self.size = spec["shape"]
        self.x = (self.batch, self.cin, self.size, self.size)
        self.w = (self.cout, self.cin, 3, 3)
        self.b = (self.cout,)
        self.y = (self.batch, self.cout, self.size, self.size)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each result."""
        return {"y": self.y, "dx": self.x, "dw": self.w, "db": self.b}

    @property
    def terms(self) -> dict[str, int]:
        """How many products one element of each result sums up, at most."""
        pixels = self.batch * self.size * self.size
        return {"y": self.cin * 9 + 1, "dx": self.cout * 9, "dw": pixels, "db": pixels}

    @property
    def tag(self) -> str:
        """What the inputs depend on, besides the seed: not the route."""
        return f"{self.batch}x{self.cin}x{self.size}-{self.cout}"


def octets(seed: str, tag: str, count: int) -> Any:
    """Return ``count`` bytes of SHAKE-256 over seed and tag."""
    stream = hashlib.shake_256(f"{seed}|{tag}".encode()).digest(count)
    return torch.frombuffer(bytearray(stream), dtype=torch.uint8)


def exact(case: Case, seed: str) -> tuple[Any, ...]:
    """Return small integers: x, w, b and the gradient of y.

    |x| <= 16, |w|, |b| <= 32, |g| <= 1, so that every partial sum is an integer below 2**24,
    which float32 holds exactly in any order of summation.
    """
    tag = f"exact/{case.tag}/"

    def draw(name: str, shape: tuple[int, ...]) -> Any:
        return octets(seed, tag + name, math.prod(shape)).view(shape)

    x = (draw("x", case.x) & 31).to(torch.int32) - 16
    w = (draw("w", case.w) & 63).to(torch.int32) - 32
    b = (draw("b", case.b) & 63).to(torch.int32) - 32
    g = draw("g", case.y)
    return x, w, b, (g & 1).to(torch.int32) - ((g >> 1) & 1).to(torch.int32)


def uniform(case: Case, seed: str) -> tuple[Any, ...]:
    """Return float32 values on [-1, 1), w and b on a quarter of that, all exactly k / 2**15."""
    tag = f"uniform/{case.tag}/"

    def draw(name: str, shape: tuple[int, ...], scale: float = 1.0) -> Any:
        pairs = octets(seed, tag + name, 2 * math.prod(shape)).view(-1, 2).to(torch.int32)
        values = ((pairs[:, 0] << 8) | pairs[:, 1]) - 32768
        return (values.float() / 32768 * scale).view(shape)

    return draw("x", case.x), draw("w", case.w, 0.25), draw("b", case.b, 0.25), draw("g", case.y)
