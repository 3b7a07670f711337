import torch
from _probe import step


@step("RN50 and ViT-B-32 with random weights, and the tokenizer")
def _():
    import open_clip
    from PIL import Image

    model = open_clip.create_model("RN50", pretrained=None).eval()
    with torch.no_grad():
        assert model.encode_image(torch.zeros(1, 3, 224, 224)).shape[0] == 1
    model, _, transform = open_clip.create_model_and_transforms("ViT-B-32", pretrained=None)
    text = open_clip.get_tokenizer("ViT-B-32")(["a dog"])
    with torch.no_grad():
        model.eval().encode_text(text)
        model.encode_image(transform(Image.new("RGB", (64, 64)))[None])
