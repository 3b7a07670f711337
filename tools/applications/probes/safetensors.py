import torch
from _probe import step


@step("save and load of float32, float16, bfloat16")
def _():
    from safetensors.torch import load_file, save_file

    kinds = (torch.float32, torch.float16, torch.bfloat16)
    save_file({str(kind): torch.ones(2, dtype=kind) for kind in kinds}, "a.safetensors")
    assert load_file("a.safetensors")[str(torch.bfloat16)].dtype is torch.bfloat16
