import torch
from _probe import step


@step("accuracy, AUROC, F1, SSIM")
def _():
    import torchmetrics
    from torchmetrics.image import StructuralSimilarityIndexMeasure

    accuracy = torchmetrics.Accuracy(task="multiclass", num_classes=3)
    accuracy(torch.tensor([0, 1]), torch.tensor([0, 2]))
    assert float(accuracy.compute()) > 0
    torchmetrics.AUROC(task="binary")(torch.tensor([0.1, 0.9]), torch.tensor([0, 1]))
    torchmetrics.F1Score(task="multiclass", num_classes=3)(torch.tensor([0]), torch.tensor([0]))
    StructuralSimilarityIndexMeasure()(torch.rand(1, 1, 32, 32), torch.rand(1, 1, 32, 32))
