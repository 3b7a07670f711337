import torch
from _probe import step


@step("ESRGAN with random weights")
def _():
    from spandrel.architectures.ESRGAN import ESRGAN

    found = ESRGAN(num_filters=8, num_blocks=1)(torch.zeros(1, 3, 8, 8))
    assert found.shape == (1, 3, 32, 32)
