"""The real worker, with one thing done wrong to its results: what the checks must catch."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

WORKER = Path(__file__).parents[2] / "resolver" / "rdna1_lock" / "guard" / "worker"
sys.path.insert(0, str(WORKER))

import sweep_conv  # noqa: E402

FAULT = json.loads(os.environ["RDNA1_LOCK_WORKER"])["task"].get("fault") or ""
right = sweep_conv.step
kept: list[dict[str, Any]] = []


def tf32(tensor: Any) -> Any:
    """Cut to ten bits of mantissa, as tensor cores do."""
    import torch

    return ((tensor.contiguous().view(torch.int32) + 0x1000) & ~0x1FFF).view(torch.float32)


def wrong(device: str, tensors: Any, times: Any = None) -> dict[str, Any]:
    import torch

    if tensors[0].dtype == torch.float64:  # the reference
        return right(device, tensors, times)
    if FAULT == "tf32 inputs":
        tensors = [tf32(tensors[0]), tf32(tensors[1]), tensors[2], tf32(tensors[3])]
    if FAULT == "tf32 for real":
        torch.backends.cudnn.allow_tf32 = True
    chosen = torch.backends.cudnn.benchmark or not FAULT.endswith("find")
    if FAULT.startswith("endless kernel") and tensors[0].shape[-1] == 44 and chosen:
        torch.cuda._sleep(1 << 62)
    result = right(device, tensors, times)
    if FAULT == "last element zeroed":
        result["y"][..., -1, -1] = 0
    elif FAULT == "one element off by 1e-3":
        result["y"].view(-1)[12345] += 1e-3
    elif FAULT == "half precision":
        result = {name: tensor.half().float() for name, tensor in result.items()}
    elif FAULT == "one NaN":
        result["dw"].view(-1)[7] = float("nan")
    elif FAULT == "zero gradient":
        result["dx"] = torch.zeros_like(result["dx"])
    elif FAULT == "wrong shape":
        result["y"] = result["y"][..., :-1]
    elif FAULT == "stale memory":
        kept.append(result)
        result = kept[max(0, len(kept) - 2)]
    elif FAULT == "transposed gradient":
        result["dw"] = result["dw"].transpose(2, 3)
    return result


if __name__ == "__main__":
    sweep_conv.step = wrong
    sys.argv = ["worker"]
    code = (WORKER / "__main__.py").read_text()
    exec(compile(code, "__main__.py", "exec"), {"__name__": "__main__"})
