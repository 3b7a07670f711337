import torch
from _probe import step


@step("augmentation, geometry, filters, losses, features")
def _():
    import kornia

    x = torch.rand(1, 3, 32, 32)
    kornia.augmentation.RandomAffine(15.0)(x)
    kornia.filters.gaussian_blur2d(x, (3, 3), (1.0, 1.0))
    kornia.geometry.transform.warp_perspective(x, torch.eye(3)[None], (32, 32))
    kornia.losses.ssim_loss(x, x, 5)
    kornia.enhance.equalize_clahe(torch.rand(1, 1, 32, 32))
    kornia.feature.HardNet(False)(torch.rand(1, 1, 32, 32))
