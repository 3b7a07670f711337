import tempfile

import torch
from _probe import part, step


@step("BERT forward")
def _():
    from transformers import BertConfig, BertModel

    config = BertConfig(
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        vocab_size=100,
    )
    model = BertModel(config).eval()
    assert model(torch.zeros(1, 8, dtype=torch.long)).last_hidden_state.shape == (1, 8, 32)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        BertModel.from_pretrained(folder)


@step("GPT-2 generate")
def _():
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(n_embd=32, n_layer=1, n_head=2, vocab_size=100, n_positions=64)
    model = GPT2LMHeadModel(config).eval()
    start = torch.full((1, 4), 5)
    out = model.generate(start, max_new_tokens=4, min_new_tokens=4, do_sample=False, pad_token_id=1)
    assert out.shape == (1, 8)


@step("Llama forward")
def _():
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        vocab_size=100,
    )
    LlamaForCausalLM(config).eval()(torch.zeros(1, 8, dtype=torch.long))


@step("CLIP text forward")
def _():
    from transformers import CLIPTextConfig, CLIPTextModel

    config = CLIPTextConfig(
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        vocab_size=100,
        eos_token_id=2,
    )
    CLIPTextModel(config).eval()(torch.zeros(1, 8, dtype=torch.long))


@part("Trainer")
def _():
    from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

    config = BertConfig(
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        vocab_size=100,
    )
    item = {"input_ids": [1, 2, 3, 4], "attention_mask": [1] * 4, "labels": 0}
    with tempfile.TemporaryDirectory() as folder:
        common = {"max_steps": 1, "per_device_train_batch_size": 2, "report_to": []}
        try:
            arguments = TrainingArguments(folder, use_cpu=True, **common)
        except TypeError:
            arguments = TrainingArguments(folder, no_cuda=True, **common)
        model = BertForSequenceClassification(config)
        Trainer(model=model, args=arguments, train_dataset=[item] * 4).train()
