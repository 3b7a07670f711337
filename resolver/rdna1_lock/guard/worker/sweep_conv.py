"""One convolution, forward and backward, on the device: run, timed, held against references.

Sends measurements only. What they mean is judged by who reads them.
"""

from __future__ import annotations

import ctypes
import hashlib
import math
import sys
import time
from typing import TYPE_CHECKING, Any

import sweep_inputs
import torch
from sweep_inputs import TENSORS, Case
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweep_channel import Channel

ROUNDING = 2.0**-24  # half the distance of 1 to the next float32


def run_case(channel: Channel, case: Case, device: str, *, warm: int) -> dict[str, Any]:
    """Return the measurements of one case; ``warm`` repetitions are timed, 0 times nothing."""
    seed = channel.task["seed"]
    channel.phase("reference", case.id)
    integers, reals = sweep_inputs.exact(case, seed), sweep_inputs.uniform(case, seed)
    expected, wanted = reference(integers), reference(reals)
    scale = reference([tensor.abs() for tensor in reals])
    channel.phase("device", case.id)
    torch.backends.cudnn.benchmark = case.route == "find"
    on_device = [tensor.to(device) for tensor in reals]
    integers_there = [tensor.to(torch.float32).to(device) for tensor in integers]
    poison(case, device)
    times: list[tuple[float, float]] = []
    print(f"rdna1-lock case {case.id}", file=sys.stderr, flush=True)
    channel.phase("first", case.id)
    got = step(device, on_device, times)
    channel.phase("warm", case.id)
    poison(case, device)
    whole = step(device, integers_there)
    poison(case, device)
    again = step(device, on_device)
    for _ in range(warm):
        step(device, on_device, times)
    channel.phase("compare", case.id)
    measured: dict[str, Any] = {
        "id": case.id,
        "tensors": {
            name: compare(whole[name], got[name], expected[name], wanted[name], scale[name], terms)
            if whole[name].shape == got[name].shape == case.shapes[name]
            else {"shape": list(got[name].shape)}
            for name, terms in case.terms.items()
        },
    }
    if all(item.get("finite") for item in measured["tensors"].values()):
        measured["adjoint"] = adjoint(integers, whole)
        measured["repeatable"] = all(
            torch.equal(got[name].cpu(), again[name].cpu()) for name in TENSORS
        )
    if warm:
        measured["time"] = timing(times)
    return measured


def synchronize(device: str) -> None:
    """Wait for the device, so that a time is one of work done."""
    if device != "cpu":
        torch.cuda.synchronize()


def step(
    device: str, tensors: Sequence[Any], times: list[tuple[float, float]] | None = None
) -> dict[str, Any]:
    """Run forward and backward once; times are seconds of each, the device waited for."""
    x, w, b = (tensor.detach().requires_grad_() for tensor in tensors[:3])
    synchronize(device)
    start = time.perf_counter()
    y = functional.conv2d(x, w, b, padding=1)
    synchronize(device)
    middle = time.perf_counter()
    y.backward(tensors[3])
    synchronize(device)
    if times is not None:
        times.append((middle - start, time.perf_counter() - middle))
    return {"y": y.detach(), "dx": x.grad, "dw": w.grad, "db": b.grad}


def reference(tensors: Sequence[Any]) -> dict[str, Any]:
    """Return the same in float64 on the processor, which never goes to MIOpen."""
    return step("cpu", [tensor.to(torch.float64) for tensor in tensors])


def poison(case: Case, device: str) -> None:
    """Fill and free blocks of the output sizes with NaN.

    A kernel that silently does not run would otherwise give back old, correct data.
    """
    for shape in case.shapes.values():
        torch.full(shape, float("nan"), device=device)


def compare(whole: Any, got: Any, expected: Any, wanted: Any, scale: Any, terms: int) -> Any:
    """Measure one result: integers by digest, reals by error.

    ``k`` is the largest error over sqrt(terms) * 2**-24 * (the same convolution of absolute
    values); ``rel_l2`` the relative error in the 2-norm.
    """
    if not (torch.isfinite(whole).all().item() and torch.isfinite(got).all().item()):
        return {"shape": list(got.shape), "finite": False}
    whole, got = whole.cpu().double(), got.cpu().double()
    off = (whole - expected).abs().max().item()
    error = (got - wanted).abs()
    unit = math.sqrt(terms) * ROUNDING * scale
    return {
        "shape": list(got.shape),
        "finite": True,
        "sha256": digest(whole),
        "max_off": float(f"{off:.3g}"),
        "k": round((error / unit.clamp_min(1e-300)).max().item(), 4),
        "rel_l2": float(f"{(error.norm() / wanted.norm()).item():.3e}"),
    }


def digest(tensor: Any) -> str:
    """Hash the rounded values as little-endian int32, in place: storage would go by element.

    Values that int32 cannot hold are clamped; no right result has one.
    """
    whole = tensor.round().clamp(-(2**31), 2**31 - 1).to(torch.int32).contiguous()
    size = 4 * whole.numel()
    return hashlib.sha256((ctypes.c_char * size).from_address(whole.data_ptr())).hexdigest()


def adjoint(integers: tuple[Any, ...], whole: dict[str, Any]) -> list[float]:
    """Return <y - b, g>, <x, dx> and <w, dw>, which are one number, whatever the reference says."""
    x, w, b, g = (tensor.double() for tensor in integers)
    y, dx, dw = (whole[name].cpu().double().round() for name in ("y", "dx", "dw"))
    sums = ((y - b.view(1, -1, 1, 1)) * g).sum(), (x * dx).sum(), (w * dw).sum()
    return [value.item() for value in sums]


def timing(times: list[tuple[float, float]]) -> dict[str, float]:
    """Return the first times and the medians of the later ones, in seconds."""

    def median(values: list[float]) -> float:
        return round(sorted(values)[len(values) // 2], 7)

    return {
        "first_forward": round(times[0][0], 7),
        "first_backward": round(times[0][1], 7),
        "warm_forward": median([forward for forward, _ in times[1:]]),
        "warm_backward": median([backward for _, backward in times[1:]]),
        "repetitions": len(times) - 1,
    }
