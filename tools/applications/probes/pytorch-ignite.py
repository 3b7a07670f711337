import torch
from _probe import step


@step("engine and metric")
def _():
    from ignite.engine import Engine
    from ignite.metrics import Accuracy

    engine = Engine(lambda engine, batch: (torch.eye(2), torch.tensor([0, 1])))
    Accuracy().attach(engine, "accuracy")
    assert engine.run([1, 2], max_epochs=1).metrics["accuracy"] == 1
