import importlib

import torch
from _probe import step

MODULES = (
    "accelerate blendmodes cleanfid einops fastapi git gradio inflection jsonmerge kornia lark"
    " omegaconf open_clip piexif psutil pytorch_lightning resize_right safetensors.torch skimage"
    " timm torchdiffeq torchsde transformers clip"
)


@step("the imports of the web UI")
def _():
    for name in MODULES.split():
        importlib.import_module(name)


@step("CLIP text encoder with random weights")
def _():
    from transformers import CLIPTextConfig, CLIPTextModel

    config = CLIPTextConfig(
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        vocab_size=100,
    )
    CLIPTextModel(config)(torch.zeros(1, 8, dtype=torch.long))


@step("a page of gradio, launched and asked for")
def _():
    import urllib.request

    import gradio

    with gradio.Blocks() as blocks:
        gradio.Textbox()
    _, url, _ = blocks.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    assert urllib.request.urlopen(url, timeout=20).status == 200
    blocks.close()
