import torch
from _probe import step


@step("a frame to a tensor")
def _():
    import pandas as pd

    frame = pd.DataFrame({"x": [1.0, 2.0]})
    assert torch.tensor(frame["x"].to_numpy()).sum() == 3
