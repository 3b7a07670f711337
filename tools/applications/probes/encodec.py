import torch
from _probe import step


@step("audio codec with random weights")
def _():
    from encodec import EncodecModel

    model = EncodecModel.encodec_model_24khz(pretrained=False).eval()
    with torch.no_grad():
        assert model.encode(torch.zeros(1, 1, 2400))
