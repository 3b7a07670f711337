from _probe import step


@step("a data set in the format of torch")
def _():
    import torch
    from datasets import Dataset

    item = Dataset.from_dict({"x": [[1.0, 2.0]]}).with_format("torch")[0]["x"]
    assert isinstance(item, torch.Tensor)
