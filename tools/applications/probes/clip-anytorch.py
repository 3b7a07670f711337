import torch
from _probe import step


@step("tokenize, and encode a picture and a text with random weights")
def _():
    import clip
    from clip.model import CLIP

    model = CLIP(32, 32, 1, 64, 16, 77, 49408, 32, 2, 1).eval()
    with torch.no_grad():
        assert model.encode_text(clip.tokenize(["a dog"])).shape == (1, 32)
        assert model.encode_image(torch.zeros(1, 3, 32, 32)).shape == (1, 32)
