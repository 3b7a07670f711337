import torch
from _probe import step


@step("a step of the optimizer")
def _():
    from lion_pytorch import Lion

    layer = torch.nn.Linear(2, 1)
    optimizer = Lion(layer.parameters(), lr=1e-3)
    layer(torch.ones(1, 2)).sum().backward()
    optimizer.step()
