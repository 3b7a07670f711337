import torch
from _probe import step


@step("integrated gradients")
def _():
    from captum.attr import IntegratedGradients

    model = torch.nn.Linear(3, 1)
    assert IntegratedGradients(model).attribute(torch.ones(1, 3)).shape == (1, 3)
