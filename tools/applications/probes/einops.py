import torch
from _probe import step


@step("rearrange, and a layer")
def _():
    from einops import rearrange
    from einops.layers.torch import Rearrange

    assert rearrange(torch.rand(2, 3, 4), "a b c -> b (a c)").shape == (3, 8)
    assert Rearrange("a b -> b a")(torch.rand(2, 3)).shape == (3, 2)
