import torch
from _probe import step


@step("triplet loss")
def _():
    from pytorch_metric_learning import losses, miners

    x = torch.rand(4, 4, requires_grad=True)
    labels = torch.tensor([0, 0, 1, 1])
    losses.TripletMarginLoss()(x, labels, miners.MultiSimilarityMiner()(x, labels)).backward()
