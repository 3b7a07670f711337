import torch
from _probe import step


@step("a picture to a tensor and back")
def _():
    import cv2
    import numpy as np

    picture = cv2.resize(np.zeros((8, 8, 3), np.uint8), (4, 4))
    assert cv2.cvtColor(torch.from_numpy(picture).numpy(), cv2.COLOR_BGR2GRAY).shape == (4, 4)
