import torch
from _probe import part, step


@step("SummaryWriter, a scalar")
def _():
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter("log") as writer:
        writer.add_scalar("loss", 1.0, 0)


@part("add_histogram")
def _():
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter("log") as writer:
        writer.add_histogram("weights", torch.rand(9), 0)
