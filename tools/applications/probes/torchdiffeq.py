import torch
from _probe import step


@step("odeint")
def _():
    from torchdiffeq import odeint

    found = odeint(lambda t, y: -y, torch.ones(1), torch.linspace(0, 1, 2))
    assert abs(float(found[-1]) - 0.3679) < 1e-3
