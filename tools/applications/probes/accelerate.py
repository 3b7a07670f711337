import torch
from _probe import step


@step("prepare and backward")
def _():
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=True)
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    data = torch.utils.data.DataLoader([(torch.ones(2), torch.ones(1))] * 4, batch_size=2)
    model, optimizer, data = accelerator.prepare(model, optimizer, data)
    for x, y in data:
        accelerator.backward(((model(x) - y) ** 2).mean())
        optimizer.step()
        optimizer.zero_grad()


@step("init_empty_weights")
def _():
    from accelerate import init_empty_weights

    with init_empty_weights():
        assert torch.nn.Linear(2, 2).weight.device.type == "meta"
