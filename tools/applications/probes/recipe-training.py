import torch
from _probe import artefact, step

LOSSES = []


@step("a classifier of digits in Lightning, 5 epochs, with metrics and a log")
def _():
    import lightning
    from torch.utils.data import DataLoader, TensorDataset
    from torchmetrics import Accuracy

    torch.manual_seed(0)
    # Three kinds of stripes with noise: what can be told apart can be learnt.
    kinds = torch.arange(384) % 3
    pictures = torch.randn(384, 1, 12, 12) * 0.8
    for number, kind in enumerate(kinds):
        pictures[number, 0, int(kind) :: 3] += 1.0
    data = DataLoader(TensorDataset(pictures, kinds), batch_size=32, shuffle=True)

    class Stripes(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = torch.nn.Sequential(
                torch.nn.Conv2d(1, 8, 3),
                torch.nn.ReLU(),
                torch.nn.Flatten(),
                torch.nn.Linear(800, 3),
            )
            self.accuracy = Accuracy(task="multiclass", num_classes=3)

        def training_step(self, batch, index):
            pictures, kinds = batch
            found = self.net(pictures)
            loss = torch.nn.functional.cross_entropy(found, kinds)
            LOSSES.append(float(loss))
            self.log("loss", loss)
            self.log("accuracy", self.accuracy(found, kinds))
            return loss

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), 2e-3)

    from lightning.pytorch.loggers import TensorBoardLogger

    lightning.Trainer(
        max_epochs=5,
        accelerator="cpu",
        logger=TensorBoardLogger("log"),
        enable_progress_bar=False,
        log_every_n_steps=4,
    ).fit(Stripes(), data)


@step("a curve that falls")
def _():
    import matplotlib.pyplot as plt

    first, last = sum(LOSSES[:12]) / 12, sum(LOSSES[-12:]) / 12
    figure, axes = plt.subplots(figsize=(6, 3))
    axes.plot(LOSSES)
    axes.set(xlabel="step", ylabel="cross entropy", title="three kinds of stripes, on a CPU")
    figure.tight_layout()
    figure.savefig(artefact("training-curve.png"))
    if last > first / 2:
        raise AssertionError(f"the loss went from {first:.3f} to {last:.3f}")
