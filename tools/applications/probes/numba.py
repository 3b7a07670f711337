import torch
from _probe import step


@step("a compiled function on an array of torch")
def _():
    import numba

    assert numba.njit(lambda x: (x * 2).sum())(torch.ones(3).numpy()) == 6
