import torch
from _probe import step


@step("distance by a random AlexNet")
def _():
    import lpips

    loss = lpips.LPIPS(net="alex", pretrained=False, pnet_rand=True, verbose=False)
    assert loss(torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 64)).numel() == 1
