import torch
from _probe import step


@step("a model with the mixin, saved and loaded")
def _():
    from huggingface_hub import PyTorchModelHubMixin

    class Line(torch.nn.Module, PyTorchModelHubMixin):
        def __init__(self, size: int):
            super().__init__()
            self.layer = torch.nn.Linear(size, 1)

        def forward(self, x):
            return self.layer(x)

    Line(size=2).save_pretrained("line")
    assert Line.from_pretrained("line", size=2)(torch.ones(1, 2)).shape == (1, 1)
