import torch
from _probe import step


@step("Unet, FPN, DeepLabV3Plus, Segformer forward, and a loss")
def _():
    import segmentation_models_pytorch as models

    for kind in (models.Unet, models.FPN, models.DeepLabV3Plus, models.Segformer):
        model = kind("resnet18", encoder_weights=None).eval()
        with torch.no_grad():
            model(torch.zeros(1, 3, 64, 64))
    models.losses.DiceLoss("binary")(torch.rand(1, 1, 8, 8), torch.ones(1, 1, 8, 8))
