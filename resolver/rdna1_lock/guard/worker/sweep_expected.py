"""What the exact results must be, by numpy and integer arithmetic alone: a second implementation.

Reads a JSON list of cases on standard input, writes their digests; needs no torch and no GPU.
"""

from __future__ import annotations

import hashlib
import json
import sys
from typing import Any

import numpy as np


def octets(seed: str, tag: str, shape: tuple[int, ...]) -> Any:
    """Return bytes of SHAKE-256 as an array."""
    count = int(np.prod(shape))
    stream = hashlib.shake_256(f"{seed}|{tag}".encode()).digest(count)
    return np.frombuffer(stream, np.uint8).reshape(shape)


def digests(seed: str, shape: tuple[int, int, int, int]) -> dict[str, str]:
    """Return the sha256 of each exact result of one case, as little-endian int32."""
    batch, cin, cout, size = shape
    tag = f"exact/{batch}x{cin}x{size}-{cout}/"
    x = (octets(seed, tag + "x", (batch, cin, size, size)) & 31).astype(np.int32) - 16
    w = (octets(seed, tag + "w", (cout, cin, 3, 3)) & 63).astype(np.int32) - 32
    b = (octets(seed, tag + "b", (cout,)) & 63).astype(np.int32) - 32
    raw = octets(seed, tag + "g", (batch, cout, size, size))
    g = (raw & 1).astype(np.int32) - ((raw >> 1) & 1).astype(np.int32)
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    y = np.zeros((batch, cout, size * size), np.int64) + b[None, :, None]
    dx = np.zeros_like(padded, np.int64)
    dw = np.zeros((cout, cin, 3, 3), np.int64)
    # Products in float64, which is exact below 2**53 and has a fast matrix product.
    flat_g = g.reshape(batch, cout, -1).astype(np.float64)
    for i in range(3):
        for j in range(3):
            window = padded[:, :, i : i + size, j : j + size].reshape(batch, cin, -1)
            window = window.astype(np.float64)
            kernel = w[:, :, i, j].astype(np.float64)
            y += (kernel @ window).astype(np.int64)
            dw[:, :, i, j] = (flat_g @ window.transpose(0, 2, 1)).sum(axis=0).astype(np.int64)
            back = (kernel.T @ flat_g).astype(np.int64)
            dx[:, :, i : i + size, j : j + size] += back.reshape(x.shape)
    inner = dx[:, :, 1:-1, 1:-1]
    found = {"y": y, "dx": inner, "dw": dw, "db": g.sum(axis=(0, 2, 3))}
    return {
        name: hashlib.sha256(np.ascontiguousarray(value.astype("<i4")).tobytes()).hexdigest()
        for name, value in found.items()
    }


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    print(json.dumps({tag: digests(asked["seed"], tuple(s)) for tag, s in asked["cases"].items()}))
