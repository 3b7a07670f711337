from _probe import step


@step("a classifier, one epoch")
def _():
    import numpy as np
    from pytorch_tabnet.tab_model import TabNetClassifier

    model = TabNetClassifier(verbose=0, device_name="cpu")
    x = np.random.rand(32, 4).astype("float32")
    model.fit(x, np.arange(32) % 2, max_epochs=1, batch_size=16, virtual_batch_size=8)
    assert model.predict(x).shape == (32,)
