import torch
from _probe import step


@step("a regressor, fitted")
def _():
    import numpy as np
    from skorch import NeuralNetRegressor

    net = NeuralNetRegressor(torch.nn.Linear(2, 1), max_epochs=1, verbose=0)
    net.fit(np.ones((10, 2), "float32"), np.ones((10, 1), "float32"))
