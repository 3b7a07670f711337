import numpy as np
import torch
from _probe import step


@step("UNet with transforms, a sliding window and Dice")
def _():
    from monai.inferers import sliding_window_inference
    from monai.losses import DiceLoss
    from monai.networks.nets import UNet
    from monai.transforms import Compose, EnsureType, RandFlip, ScaleIntensity

    model = UNet(spatial_dims=2, in_channels=1, out_channels=1, channels=(4, 8), strides=(2,))
    transform = Compose([ScaleIntensity(), RandFlip(), EnsureType()])
    x = torch.as_tensor(transform(np.random.rand(1, 16, 16).astype("float32")))
    y = sliding_window_inference(x[None], (8, 8), 1, model)
    DiceLoss(sigmoid=True)(y, torch.ones_like(y)).backward()
