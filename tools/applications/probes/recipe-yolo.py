import pathlib

import numpy as np
from _probe import artefact, step

SIZE, BOUND = 96, 0.5
SHAPES, NAMES = [], ("square", "disc")


def draw(random):
    """Draw a square or a disc on noise; return the picture and its box (class, x, y, w, h)."""
    import cv2

    picture = random.integers(90, 130, (SIZE, SIZE, 3)).astype(np.uint8)
    kind, half = int(random.integers(2)), int(random.integers(12, 22))
    x, y = (int(place) for place in random.integers(half, SIZE - half, 2))
    if kind:
        cv2.circle(picture, (x, y), half, (40, 40, 230), -1)
    else:
        cv2.rectangle(picture, (x - half, y - half), (x + half, y + half), (230, 160, 40), -1)
    return picture, (kind, x / SIZE, y / SIZE, 2 * half / SIZE, 2 * half / SIZE)


def dataset(folder):
    import cv2

    random = np.random.default_rng(0)
    for part, count in (("train", 96), ("val", 24)):
        for kind in ("images", "labels"):
            (folder / kind / part).mkdir(parents=True)
        for number in range(count):
            picture, box = draw(random)
            cv2.imwrite(str(folder / "images" / part / f"{number}.png"), picture)
            text = " ".join(map(str, box)) + "\n"
            (folder / "labels" / part / f"{number}.txt").write_text(text)
    text = f"path: {folder.resolve()}\ntrain: images/train\nval: images/val\nnames: {list(NAMES)}\n"
    (folder / "data.yaml").write_text(text)
    return str(folder / "data.yaml")


@step(f"YOLOv8n from random weights on 96 drawn shapes, to a mAP50 above {BOUND}")
def _():
    from ultralytics import YOLO

    model = YOLO("yolov8n.yaml")
    result = model.train(
        data=dataset(pathlib.Path("shapes")),
        epochs=40,
        batch=16,
        imgsz=SIZE,
        workers=0,
        device="cpu",
        amp=False,
        seed=0,
        optimizer="AdamW",
        lr0=0.002,
        warmup_epochs=1,
        mosaic=0.0,
        patience=0,
        plots=False,
        verbose=False,
        project="runs",
    )
    found = result.results_dict["metrics/mAP50(B)"]
    if found <= BOUND:
        raise AssertionError(f"mAP50 is {found:.3f}")
    SHAPES.append(model)


@step("its boxes, drawn")
def _():
    from PIL import Image

    [model] = SHAPES
    paths = [f"shapes/images/val/{number}.png" for number in range(6)]
    found = model.predict(paths, imgsz=SIZE, device="cpu", verbose=False)
    assert sum(len(one.boxes) for one in found) >= 4
    rows = np.concatenate([one.plot(line_width=1, font_size=6) for one in found], axis=1)
    Image.fromarray(rows[..., ::-1]).resize((6 * 192, 192)).save(artefact("yolo-boxes.png"))
