import torch
from _probe import step


@step("decoder forward")
def _():
    from x_transformers import Decoder, TransformerWrapper

    model = TransformerWrapper(
        num_tokens=20, max_seq_len=16, attn_layers=Decoder(dim=16, depth=1, heads=2)
    )
    assert model(torch.zeros(1, 4, dtype=torch.long)).shape == (1, 4, 20)
