import torch
from _probe import step


@step("LoRA forward and backward")
def _():
    from peft import LoraConfig, inject_adapter_in_model

    model = torch.nn.Sequential(torch.nn.Linear(4, 4))
    model = inject_adapter_in_model(LoraConfig(target_modules=["0"]), model)
    model(torch.ones(1, 4)).sum().backward()
