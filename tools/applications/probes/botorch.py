import torch
from _probe import step


@step("a GP, fitted, and its next point")
def _():
    from botorch.acquisition import UpperConfidenceBound
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import SingleTaskGP
    from botorch.optim import optimize_acqf
    from gpytorch.mlls import ExactMarginalLogLikelihood

    x = torch.rand(6, 1, dtype=torch.double)
    model = SingleTaskGP(x, x.sin())
    fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
    bounds = torch.tensor([[0.0], [1.0]], dtype=torch.double)
    optimize_acqf(UpperConfidenceBound(model, 0.1), bounds, q=1, num_restarts=2, raw_samples=8)
