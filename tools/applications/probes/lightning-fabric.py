import torch
from _probe import step


@step("one training step of Fabric")
def _():
    from lightning_fabric import Fabric

    fabric = Fabric(accelerator="cpu", devices=1)
    layer = torch.nn.Linear(2, 1)
    model, optimizer = fabric.setup(layer, torch.optim.SGD(layer.parameters(), 0.1))
    fabric.backward(model(torch.ones(1, 2)).sum())
    optimizer.step()
