"""What Lightning does for users, by either of its two names."""

import tempfile

import torch
from _probe import step


def module(load):
    library = load()

    class Line(library.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(2, 1)

        def training_step(self, batch, index):
            x, y = batch
            return ((self.layer(x) - y) ** 2).mean()

        def validation_step(self, batch, index):
            self.log("loss", self.training_step(batch, index))

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.1)

    return library, Line


data = torch.utils.data.DataLoader([(torch.ones(2), torch.ones(1))] * 4, batch_size=2)


def train(load):
    """Run the steps; ``load`` imports the library, which may fail as well."""

    @step("fast_dev_run")
    def _():
        library, line = module(load)
        library.Trainer(fast_dev_run=True, accelerator="cpu", logger=False).fit(line(), data, data)

    @step("one epoch with a checkpoint")
    def _():
        library, line = module(load)
        with tempfile.TemporaryDirectory() as folder:
            trainer = library.Trainer(
                max_epochs=1,
                accelerator="cpu",
                logger=False,
                default_root_dir=folder,
                enable_progress_bar=False,
            )
            trainer.fit(line(), data)
            trainer.save_checkpoint(f"{folder}/a.ckpt")
            line.load_from_checkpoint(f"{folder}/a.ckpt")
