import torch
from _probe import step


@step("five models forward")
def _():
    import timm

    for name, size in (
        ("resnet18", 64),
        ("vit_tiny_patch16_224", 224),
        ("efficientnet_b0", 64),
        ("convnext_atto", 64),
        ("swin_tiny_patch4_window7_224", 224),
    ):
        with torch.no_grad():
            timm.create_model(name, pretrained=False).eval()(torch.zeros(1, 3, size, size))


@step("training step")
def _():
    import timm
    from PIL import Image
    from timm.data import create_transform
    from timm.optim import create_optimizer_v2

    model = timm.create_model("resnet10t", pretrained=False, num_classes=3)
    optimizer = create_optimizer_v2(model, opt="adamw", lr=1e-3)
    picture = create_transform(64, is_training=True)(Image.new("RGB", (80, 80)))
    loss = torch.nn.functional.cross_entropy(
        model(torch.stack([picture] * 2)), torch.tensor([0, 1])
    )
    loss.backward()
    optimizer.step()
