import numpy as np
import torch
from _probe import step


@step("a tone written and read, its spectrogram by Whisper's extractor")
def _():
    import soundfile
    from transformers import WhisperFeatureExtractor

    tone = 0.2 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    soundfile.write("tone.wav", tone.astype("float32"), 16000)
    sound, rate = soundfile.read("tone.wav")
    features = WhisperFeatureExtractor()(sound, sampling_rate=rate, return_tensors="pt")
    assert features.input_features.shape == (1, 80, 3000)


@step("Whisper with random weights decodes it")
def _():
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    config = WhisperConfig(
        vocab_size=100,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        decoder_start_token_id=1,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        begin_suppress_tokens=None,
    )
    model = WhisperForConditionalGeneration(config).eval()
    found = model.generate(torch.zeros(1, 80, 3000), max_new_tokens=4)
    assert found.shape[0] == 1
