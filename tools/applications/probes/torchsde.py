import torch
from _probe import step


@step("sdeint")
def _():
    import torchsde

    class Noise(torch.nn.Module):
        noise_type, sde_type = "diagonal", "ito"

        def f(self, t, y):
            return -y

        def g(self, t, y):
            return 0.1 * torch.ones_like(y)

    times = torch.linspace(0, 0.1, 3)
    assert torchsde.sdeint(Noise(), torch.ones(1, 2), times, dt=0.05).shape == (3, 1, 2)
