import torch
from _probe import step


@step("export of a network, and its answer")
def _():
    import numpy as np
    import onnxruntime

    layer = torch.nn.Linear(2, 1)
    torch.onnx.export(layer, torch.ones(1, 2), "line.onnx", input_names=["x"])
    session = onnxruntime.InferenceSession("line.onnx", providers=["CPUExecutionProvider"])
    [found] = session.run(None, {"x": np.ones((1, 2), "float32")})
    assert np.allclose(found, layer(torch.ones(1, 2)).detach().numpy(), atol=1e-5)
