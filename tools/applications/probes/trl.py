from _probe import step


@step("one step of SFTTrainer")
def _():
    from datasets import Dataset
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast
    from trl import SFTConfig, SFTTrainer

    words = {"[U]": 0, "a": 1, "b": 2, "[E]": 3}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[U]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[U]", eos_token="[E]", pad_token="[E]"
    )
    config = GPT2Config(n_embd=16, n_layer=1, n_head=1, vocab_size=4, n_positions=32)
    arguments = SFTConfig(
        "out", max_steps=1, per_device_train_batch_size=2, report_to=[], use_cpu=True
    )
    SFTTrainer(
        model=GPT2LMHeadModel(config),
        args=arguments,
        train_dataset=Dataset.from_dict({"text": ["a b a"] * 4}),
        processing_class=fast,
    ).train()
