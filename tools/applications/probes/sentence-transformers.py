import os

import torch
from _probe import step


@step("embedding of two sentences by a random BERT")
def _():
    from transformers import BertConfig, BertModel, BertTokenizerFast

    os.mkdir("model")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "dog", "runs"]
    with open("model/vocab.txt", "w") as file:
        file.write("\n".join(words) + "\n")
    BertTokenizerFast(vocab_file="model/vocab.txt").save_pretrained("model")
    config = BertConfig(
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        vocab_size=len(words),
    )
    BertModel(config).save_pretrained("model")
    from sentence_transformers import SentenceTransformer, models, util

    encoder = SentenceTransformer(
        modules=[models.Transformer("model"), models.Pooling(32)], device="cpu"
    )
    found = encoder.encode(["a dog", "runs"])
    assert found.shape == (2, 32)
    assert torch.isfinite(util.cos_sim(found[0], found[1])).all()
