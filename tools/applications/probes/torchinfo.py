import torch
from _probe import step


@step("summary of a network")
def _():
    from torchinfo import summary

    layers = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU())
    assert summary(layers, (1, 1, 8, 8), verbose=0).total_params == 20
