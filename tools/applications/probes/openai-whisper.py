import torch
from _probe import step


@step("decoding silence with random weights")
def _():
    import whisper
    from whisper.model import ModelDimensions, Whisper

    model = Whisper(ModelDimensions(80, 1500, 16, 2, 1, 51865, 448, 16, 2, 1)).eval()
    options = whisper.DecodingOptions(
        language="en", fp16=False, sample_len=3, without_timestamps=True
    )
    assert whisper.decode(model, torch.zeros(80, 3000), options).tokens is not None
