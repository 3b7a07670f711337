"""Run one task of the sweep in the environment under test: torch and the standard library only."""

from __future__ import annotations

import sys
import time
import traceback
from typing import Any

from sweep_channel import Channel


def main(channel: Channel) -> dict[str, Any]:
    """Return the last word of a task; its cases were sent one by one."""
    task = channel.task
    channel.phase("import")
    started = time.perf_counter()
    import torch  # may hang, which must be seen

    imported = round(time.perf_counter() - started, 3)
    import sweep_device

    channel.phase("device")
    torch.backends.cudnn.enabled = task.get("backend", True)
    # TF32 has 10 bits of mantissa; PyTorch allows it for convolutions by default.
    torch.backends.cudnn.allow_tf32 = False
    device = sweep_device.choose(task["device"])
    # The context and the code objects are not charged to the first case.
    (torch.ones(8, device=device) + 1).sum().item()
    result: dict[str, Any] = {"import_s": imported, "device": sweep_device.describe(device)}
    if task["kind"] == "convolutions":
        from sweep_conv import run_case
        from sweep_inputs import Case

        for spec in task["cases"]:
            try:
                channel.send({"case": run_case(channel, Case(spec), device, warm=task["warm"])})
            except Exception as error:
                if len(task["cases"]) == 1:
                    raise
                failed = f"{type(error).__name__}: {error}"[:500]
                channel.send({"case": {"id": spec["id"], "error": failed}})
    elif task["kind"] == "numpy":
        from sweep_extras import numpy_round_trip

        channel.phase("first")
        result["numpy"] = numpy_round_trip()
    elif task["kind"] == "vision":
        from sweep_extras import vision

        channel.phase("first")
        result["vision"] = vision(device)
    result["libraries"] = sweep_device.mapped()
    return result


if __name__ == "__main__":
    pipes = Channel()
    pipes.open()
    try:
        done = main(pipes)
    except Exception as error:
        traceback.print_exc()
        pipes.send({"error": f"{type(error).__name__}: {error}"[:500]})
        sys.exit(1)
    pipes.result(done)
