import numpy as np
from _probe import step


@step("a pipeline to a tensor")
def _():
    import albumentations
    from albumentations.pytorch import ToTensorV2

    pipeline = albumentations.Compose(
        [albumentations.HorizontalFlip(p=1), albumentations.Normalize(), ToTensorV2()]
    )
    assert pipeline(image=np.zeros((8, 8, 3), np.uint8))["image"].shape == (3, 8, 8)
