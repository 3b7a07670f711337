import torch
from _probe import step


@step("marginal likelihood of an exact GP")
def _():
    import gpytorch

    class Model(gpytorch.models.ExactGP):
        def __init__(self, x, y, likelihood):
            super().__init__(x, y, likelihood)
            self.mean = gpytorch.means.ConstantMean()
            self.kernel = gpytorch.kernels.ScaleKernel(gpytorch.kernels.RBFKernel())

        def forward(self, x):
            return gpytorch.distributions.MultivariateNormal(self.mean(x), self.kernel(x))

    x = torch.linspace(0, 1, 5)
    likelihood = gpytorch.likelihoods.GaussianLikelihood()
    model = Model(x, x, likelihood)
    model.train()
    (-gpytorch.mlls.ExactMarginalLogLikelihood(likelihood, model)(model(x), x)).backward()
