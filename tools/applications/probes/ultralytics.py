import pathlib

import numpy as np
from _probe import part, step

SIZE = 96


def shapes(count, seed):
    """Draw squares and discs on grey; return pictures and boxes (class, x, y, w, h)."""
    import cv2

    random = np.random.RandomState(seed)
    for _ in range(count):
        picture = random.randint(90, 130, (SIZE, SIZE, 3)).astype(np.uint8)
        kind, half = random.randint(2), random.randint(12, 22)
        x, y = random.randint(half, SIZE - half, 2)
        colour = (40, 40, 230) if kind else (230, 160, 40)
        if kind:
            cv2.circle(picture, (int(x), int(y)), int(half), colour, -1)
        else:
            corner = (int(x - half), int(y - half)), (int(x + half), int(y + half))
            cv2.rectangle(picture, *corner, colour, -1)
        yield picture, (kind, x / SIZE, y / SIZE, 2 * half / SIZE, 2 * half / SIZE)


def dataset(folder, train, val):
    import cv2

    for name, count, seed in (("train", train, 0), ("val", val, 1)):
        for kind in ("images", "labels"):
            (folder / kind / name).mkdir(parents=True)
        for number, (picture, box) in enumerate(shapes(count, seed)):
            cv2.imwrite(str(folder / "images" / name / f"{number}.png"), picture)
            text = " ".join(map(str, box)) + "\n"
            (folder / "labels" / name / f"{number}.txt").write_text(text)
    text = f"path: {folder.resolve()}\ntrain: images/train\nval: images/val\n"
    (folder / "data.yaml").write_text(text + "names: {0: square, 1: disc}\n")
    return str(folder / "data.yaml")


common = {"imgsz": SIZE, "workers": 0, "device": "cpu", "verbose": False, "plots": False}


@step("YOLOv8n forward and predict")
def _():
    from ultralytics import YOLO

    [found] = YOLO("yolov8n.yaml").predict(
        np.zeros((64, 64, 3), np.uint8), imgsz=64, verbose=False, device="cpu"
    )
    assert found.boxes is not None


@step("YOLOv8n, one epoch of training on shapes")
def _():
    from ultralytics import YOLO

    data = dataset(pathlib.Path("few"), 8, 4)
    YOLO("yolov8n.yaml").train(data=data, epochs=1, batch=4, amp=False, **common)


@part("YOLO11n and YOLO26n")
def _():
    from ultralytics import YOLO

    for name in ("yolo11n", "yolo26n"):
        YOLO(f"{name}.yaml").predict(
            np.zeros((64, 64, 3), np.uint8), imgsz=64, verbose=False, device="cpu"
        )
