"""What the sweep cannot see: arrays in and out of numpy, and torchvision's own operators."""

from __future__ import annotations

import warnings
from typing import Any

import torch


def numpy_round_trip() -> dict[str, Any]:
    """Pass arrays both ways. With numpy 2 every convolution passes and all of this fails."""
    import numpy as np

    steps: dict[str, str] = {}

    def attempt(name: str, function: Any) -> None:
        try:
            steps[name] = "ok" if function() else "wrong"
        except Exception as error:  # the kind of failure is the finding
            steps[name] = f"{type(error).__name__}: {error}"[:200]

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        array = np.arange(12, dtype=np.float32).reshape(3, 4)
        attempt("from_numpy", lambda: torch.from_numpy(array).sum().item() == 66)
        attempt("numpy", lambda: bool((torch.ones(3, 4).numpy() == 1).all()))
        attempt("asarray", lambda: np.asarray(torch.ones(2)).dtype == np.float32)
        attempt("tensor", lambda: torch.tensor(np.ones(2)).dtype == torch.float64)
    return {
        "numpy": np.__version__,
        "steps": steps,
        "warnings": [str(item.message).splitlines()[0][:200] for item in caught][:5],
    }


def vision(device: str) -> dict[str, Any]:
    """Run torchvision's non-maximum suppression, its own C++ operator, on known boxes."""
    import torchvision

    boxes = torch.tensor(
        [[0.0, 0.0, 10.0, 10.0], [1.0, 1.0, 10.0, 10.0], [20.0, 20.0, 30.0, 30.0]], device=device
    )
    scores = torch.tensor([0.9, 0.8, 0.7], device=device)
    kept = torchvision.ops.nms(boxes, scores, 0.5)
    return {"torchvision": torchvision.__version__, "kept": kept.cpu().tolist()}
