import torch
from _probe import step


@step("export of a network, checked")
def _():
    import onnx

    torch.onnx.export(torch.nn.Linear(2, 1), torch.ones(1, 2), "line.onnx")
    onnx.checker.check_model(onnx.load("line.onnx"))
