import subprocess
import sys

from _probe import step


@step("a notebook with a tensor and a plot, run from top to end")
def _():
    import nbformat
    from nbclient import NotebookClient

    cells = [
        "import torch, torchvision, pandas as pd, matplotlib.pyplot as plt",
        "plt.plot(torch.linspace(0, 1, 5)); pd.DataFrame({'x': torch.ones(2).numpy()})",
        "print(torch.ones(2).sum())",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    done = NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    assert "tensor(2.)" in str(done.cells[-1].outputs)


@step("JupyterLab starts")
def _():
    command = [sys.executable, "-m", "jupyter", "lab", "--version"]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
