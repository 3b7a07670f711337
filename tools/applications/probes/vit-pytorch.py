import torch
from _probe import step


@step("ViT forward")
def _():
    from vit_pytorch import ViT

    model = ViT(image_size=32, patch_size=8, num_classes=3, dim=16, depth=1, heads=2, mlp_dim=16)
    assert model(torch.zeros(1, 3, 32, 32)).shape == (1, 3)
