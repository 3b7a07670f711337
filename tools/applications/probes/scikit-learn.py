import torch
from _probe import step


@step("a classifier on features of torch")
def _():
    from sklearn.linear_model import LogisticRegression

    x = torch.rand(20, 3)
    model = LogisticRegression().fit(x.numpy(), (x[:, 0] > 0.5).long().numpy())
    assert model.predict(x.numpy()).shape == (20,)
