import torch
from _probe import step


@step("arrays to tensors and back")
def _():
    import numpy as np

    assert torch.from_numpy(np.ones((2, 2), "float32")).numpy().sum() == 4
    assert np.asarray(torch.ones(2)).dtype == np.float32
