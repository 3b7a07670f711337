import torch
from _probe import step


@step("recognition network with random weights")
def _():
    import easyocr  # noqa: F401
    from easyocr.model.vgg_model import Model

    assert Model(1, 256, 256, 97)(torch.zeros(1, 1, 64, 200), None).shape[-1] == 97
