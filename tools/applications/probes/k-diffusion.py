import torch
from _probe import step


@step("Euler sampler")
def _():
    import k_diffusion

    found = k_diffusion.sampling.sample_euler(
        lambda x, sigma, **_: x * 0,
        torch.ones(1, 1, 2, 2),
        torch.tensor([1.0, 0.5, 0.0]),
        disable=True,
    )
    assert found.shape == (1, 1, 2, 2)
