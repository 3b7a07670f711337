import torch
from _probe import step


@step("EfficientDet-Lite0 forward with random weights")
def _():
    from effdet import create_model

    model = create_model("tf_efficientdet_lite0", pretrained=False, pretrained_backbone=False)
    with torch.no_grad():
        model.eval()(torch.zeros(1, 3, *model.config.image_size))
