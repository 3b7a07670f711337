import tempfile

import numpy as np
import torch
from _probe import artefact, step


def unet(width):
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(32, 32),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=width,
        attention_head_dim=4,
    ).eval()


@step("UNet step")
def _():
    with torch.no_grad():
        assert unet(16)(torch.zeros(1, 4, 8, 8), 1, torch.zeros(1, 3, 16)).sample.shape[1] == 4


@step("AutoencoderKL save and load")
def _():
    from diffusers import AutoencoderKL

    model = AutoencoderKL(block_out_channels=(32,), norm_num_groups=8).eval()
    with torch.no_grad():
        assert model(torch.zeros(1, 3, 16, 16)).sample.shape == (1, 3, 16, 16)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        AutoencoderKL.from_pretrained(folder)


@step("StableDiffusionPipeline, 2 steps with random weights")
def _():
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline
    from PIL import Image, ImageDraw
    from transformers import CLIPTextConfig, CLIPTextModel

    torch.manual_seed(0)
    text = CLIPTextConfig(
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        vocab_size=100,
    )
    pipeline = StableDiffusionPipeline(
        vae=AutoencoderKL(
            block_out_channels=(32, 32),
            norm_num_groups=8,
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
        ),
        text_encoder=CLIPTextModel(text),
        tokenizer=None,
        unet=unet(32),
        scheduler=DDIMScheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    prompt = torch.randn(1, 4, 32)
    images = pipeline(
        prompt_embeds=prompt,
        negative_prompt_embeds=torch.zeros_like(prompt),
        num_inference_steps=2,
        height=128,
        width=128,
        output_type="np",
    ).images
    assert images.shape == (1, 128, 128, 3)
    assert np.isfinite(images).all()
    page = Image.new("RGB", (360, 152), "white")
    page.paste(Image.fromarray((images[0] * 255).astype("uint8")), (12, 12))
    words = "noise: the weights are random.\nIt shows that the pipeline runs,\nand nothing else."
    ImageDraw.Draw(page).text((156, 50), words, fill="black")
    page.save(artefact("diffusion-noise.png"))
