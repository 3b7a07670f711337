import torch
from _probe import step


@step("a weighted prompt on a random text encoder")
def _():
    import json

    from compel import Compel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    letters = [chr(code) for code in (*range(33, 127), *range(161, 173), *range(174, 256))]
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>"]
    tokens.append("<|endoftext|>")
    with open("vocab.json", "w") as file:
        json.dump({token: number for number, token in enumerate(tokens)}, file)
    with open("merges.txt", "w") as file:
        file.write("#version: 0.2\n")
    tokenizer = CLIPTokenizer("vocab.json", "merges.txt", model_max_length=77)
    config = CLIPTextConfig(
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        vocab_size=len(tokens),
        bos_token_id=len(tokens) - 2,
        eos_token_id=len(tokens) - 1,
    )
    compel = Compel(tokenizer=tokenizer, text_encoder=CLIPTextModel(config).eval())
    assert compel("a (dog)1.3").shape == (1, 77, 32)
    assert torch.isfinite(compel("a (dog)1.3")).all()
