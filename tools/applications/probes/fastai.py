import pathlib

import numpy as np
from _probe import step
from PIL import Image


@step("vision_learner, one epoch on random pictures")
def _():
    import fastai.vision.all as vision

    folder = pathlib.Path("pictures")
    folder.mkdir()
    for number in range(8):
        picture = np.random.randint(0, 255, (64, 64, 3), np.uint8)
        Image.fromarray(picture).save(folder / f"{'ab'[number % 2]}_{number}.png")
    data = vision.ImageDataLoaders.from_name_func(
        folder,
        vision.get_image_files(folder),
        lambda name: pathlib.Path(name).name[0],
        valid_pct=0.25,
        bs=2,
        num_workers=0,
        item_tfms=vision.Resize(32),
        batch_tfms=vision.aug_transforms(size=32),
        device="cpu",
    )
    learner = vision.vision_learner(
        data, vision.resnet18, pretrained=False, metrics=vision.error_rate
    )
    with learner.no_bar():
        learner.fit_one_cycle(1)


@step("tabular and text")
def _():
    import fastai.tabular.all
    import fastai.text.all  # noqa: F401
